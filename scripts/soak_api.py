"""An API behind a proxy, both with random faults, for scripts/soak-network."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import ssl
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

CERTIFICATE = Path(__file__).parents[1] / "tests" / "api" / "certificate.pem"
HOST = "posthog.example"

# Subscriptions with a higher id are for the check of the slots: the API holds their responses.
SLOW_ID = 1_000_000_000

# Faults of the API, in percent of the requests. `applied` means that a write takes effect first.
API_FAULTS = {
    "429": 2, "500": 2, "502 applied": 2, "closed": 2, "closed applied": 2, "cut applied": 2, "left-over": 2,
    "late": 3, "large": 1, "echo": 3,
}  # fmt: skip

# Faults of the proxy, in percent of the connections.
PROXY_FAULTS = {"refused": 3, "garbage": 3, "closed": 3, "hangs": 1}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def owner_of(key: str) -> str:
    """Return the name by which the API knows a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _choose(faults: dict[str, int]) -> str:
    return random.choices(["", *faults], [100 - sum(faults.values()), *faults.values()])[0]


class FaultyAPI:
    """Answers requests for subscriptions. `applied` counts the writes by title, and `most_open` the open requests."""

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.open = self.most_open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
                lowered = {name.lower(): value for name, value in fields.items()}
                body = await reader.readexactly(int(lowered.get("content-length", 0)))
                if not await self._answer(writer, head.split(" ")[1], lowered["authorization"], body):
                    break
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, path: str, authorization: str, body: bytes) -> bool:
        """Answer one request, and return whether the connection stays open."""
        key = authorization.removeprefix("Bearer ")
        number = 0 if body else int(path.rstrip("/").rpartition("/")[2])
        title = json.loads(body)["title"] if body else f"{owner_of(key)}-{number}"
        fault = "" if number >= SLOW_ID else _choose(API_FAULTS)
        self.faults[f"API: {fault}"] += bool(fault)
        if fault in ("429", "500"):
            writer.write(_response(int(fault), {"detail": "random fault"}))
            return True
        if fault == "closed":
            return False
        self.applied[title] += bool(body)
        if fault == "closed applied":
            return False
        await self._wait(fault, number)
        subscription = {"id": number or self.applied.total(), "title": title, "enabled": True, "frequency": "weekly"}
        subscription |= {"target_type": "email", "target_value": f"{owner_of(key)}@b.example", "summary": "weekly"}
        if fault == "echo":
            encoded = base64.b64encode(f"user:{authorization}".encode()).decode()
            subscription["summary"] = f"{authorization} {encoded} {quote(authorization)} {key.encode().hex()}"
        if fault == "large":
            subscription["ai_prompt"] = "x\u200b" * 20_000
        data = _response(502 if fault == "502 applied" else 201 if body else 200, subscription)
        if fault == "left-over":
            data += _response(201, {**subscription, "id": 13, "title": "of another request"})
        writer.write(data[: len(data) // 2] if fault == "cut applied" else data)
        await writer.drain()
        return fault != "cut applied"

    async def _wait(self, fault: str, number: int) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(1.0 if number >= SLOW_ID else random.random() * (0.3 if fault == "late" else 0.01))
        finally:
            self.open -= 1


def _response(status: int, value: object) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nRetry-After: 0\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class FaultyProxy:
    """Opens tunnels to a port of this machine, whatever host they are for."""

    def __init__(self, port: int, faults: Counter[str]) -> None:
        self._port, self._counts = port, faults
        self.faults = PROXY_FAULTS

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Open one tunnel."""
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            fault = _choose(self.faults)
            self._counts[f"proxy: {fault}"] += bool(fault)
            if fault == "hangs":
                await asyncio.sleep(0.5)
            writer.write(
                b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
                if fault == "refused"
                else b"HTTP/1.1 200 OK\r\n\r\n"
            )
            if fault == "garbage":
                writer.write(b"this is not TLS\r\n" * 4)
            if not fault:
                other, to_api = await asyncio.open_connection("127.0.0.1", self._port)
                await asyncio.gather(_pump(reader, to_api), _pump(other, writer))
        writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()


def server_tls() -> ssl.SSLContext:
    """Return the TLS settings of the API."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    return tls
