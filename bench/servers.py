"""The servers under test: how each is started, and how to talk to it in raw frames."""

from __future__ import annotations

import json
import os
import select
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

LEGACY, MODERN = "2025-11-25", "2026-07-28"
_INITIALIZE = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "0"},
}
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "0"},
}


@dataclass(frozen=True)
class Server:
    """One way to serve: a command line, what it calls the tool, and what else its environment says."""

    name: str
    command: tuple[str, ...]
    tool: str = "subscriptions-retrieve"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)

    def spawn(self, **extra: str) -> subprocess.Popen[bytes]:
        """Start it with pipes, as an MCP client would."""
        # Bytecode is cached and output is buffered, whatever whoever runs this has set for themselves.
        quiet = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")
        environ = {name: value for name, value in os.environ.items() if name not in quiet}
        errors = subprocess.DEVNULL if "BENCH_SHOW" not in os.environ else None
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**environ, **self.environ, **extra},
            cwd=tempfile.gettempdir(),
            bufsize=0,
        )

    def asked(self, number: int = 0, size: int | None = None) -> dict[str, Any]:
        """The parameters of one call; `size` asks the upstream for an answer of so many bytes."""
        return {"name": self.tool, "arguments": {"project_id": 3, "id": size or 1 + number % 1000, **self.arguments}}


class Stdio:
    """A stdio connection to a server."""

    def __init__(self, server: Server, **environ: str) -> None:
        self.server = server
        self.process = server.spawn(**environ)
        assert self.process.stdin and self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._rest = bytearray()
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self.process)

    def shake_hands(self) -> bytes:
        """Initialize the connection, and return the tool list."""
        self.ask("initialize", _INITIALIZE)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self.ask("tools/list", {})

    def ask(self, method: str, params: Mapping[str, Any]) -> bytes:
        """Send one request and return the line that answers it."""
        self._send(method, params)
        return self._line()

    def call(self, size: int | None = None) -> bytes:
        """Call the tool once."""
        answer = self.ask("tools/call", self.server.asked(self._number, size))
        if b'"result"' not in answer or b'"isError":true' in answer:
            raise RuntimeError(f"{self.server.name}: {answer[:500]!r}")
        return answer

    def call_at_once(self, calls: int, width: int) -> None:
        """Make so many calls, `width` of them under way at any time."""
        for sent in range(calls):
            self._send("tools/call", self.server.asked(sent))
            if sent >= width - 1:
                self._line()
        for _ in range(width - 1):
            self._line()

    def _send(self, method: str, params: Mapping[str, Any]) -> None:
        self._number += 1
        self._write({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})

    def _write(self, frame: Mapping[str, Any]) -> None:
        os.write(self._in, json.dumps(frame).encode() + b"\n")

    def _line(self) -> bytes:
        searched = 0
        while (stop := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            piece = os.read(self._out, 1 << 16)
            if not piece:
                raise RuntimeError(f"{self.server.name} has ended")
            self._rest += piece
        with memoryview(self._rest) as read:
            line = bytes(read[:stop])
        del self._rest[: stop + 1]
        if b'"method":"notifications/' in line[:80]:
            return self._line()
        return line


class Http:
    """A server on a port, and connections to it that are kept open."""

    def __init__(self, server: Server, modern: bool) -> None:
        self.server = server
        self.process = server.spawn()
        self._modern = modern
        self.port = self._found()
        self._connections: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        end(self.process)

    def call(self) -> None:
        """Call the tool once."""
        connection = next(iter(self._connected(1)))
        connection.sendall(self._request())
        self._check(_response(connection))

    def call_at_once(self, calls: int, width: int) -> None:
        """Make so many calls, `width` of them under way at any time."""
        left = calls
        with selectors.DefaultSelector() as waiting:
            for connection in self._connected(width):
                waiting.register(connection, selectors.EVENT_READ)
                connection.sendall(self._request())
                left -= 1
            pending = width
            while pending:
                for ready, _ in waiting.select():
                    connection = ready.fileobj  # type: ignore[assignment] # registered above
                    self._check(_response(connection))
                    if left:
                        connection.sendall(self._request())
                        left -= 1
                    else:
                        pending -= 1

    def _connected(self, width: int) -> Iterable[socket.socket]:
        # Servers give up connections that were idle while another contestant had its turn.
        self._connections = [kept for kept in self._connections if not select.select([kept], [], [], 0)[0]]
        while len(self._connections) < width:
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
        return self._connections[:width]

    def _request(self) -> bytes:
        params = {**self.server.asked(), **({"_meta": _META} if self._modern else {})}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        version = MODERN if self._modern else LEGACY
        named = f"Mcp-Method: tools/call\r\nMcp-Name: {self.server.tool}\r\n" if self._modern else ""
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {version}\r\n{named}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _check(self, answer: bytes) -> None:
        if b'"result"' not in answer or b'"isError":true' in answer:
            raise RuntimeError(f"{self.server.name}: {answer[:700]!r}")

    def _found(self) -> int:
        """The port that it printed, or the one that it was told."""
        if "CORE13_HTTP" not in self.server.environ:
            assert self.process.stdout
            port = int(self.process.stdout.readline())
        else:
            port = int(self.server.environ["CORE13_HTTP"])
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.server.name} does not listen")


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def memory(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Resident bytes of a process, and how many of them are not pages of files, which processes share."""
    _, resident, shared, *_ = map(int, Path(f"/proc/{process.pid}/statm").read_text().split())
    page = os.sysconf("SC_PAGE_SIZE")
    return resident * page, (resident - shared) * page


def end(process: subprocess.Popen[bytes]) -> None:
    """Close its stdin, and end it if that is not enough."""
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _response(connection: socket.socket) -> bytes:
    """One HTTP response: with a length, or in pieces up to the last one."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _piece(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines: Iterator[bytes] = iter(head.lower().split(b"\r\n"))
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
    while len(body) < length if length is not None else not body.endswith(b"0\r\n\r\n"):
        body += _piece(connection)
    return body


def _piece(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 18)
    if not piece:
        raise RuntimeError("the server closed the connection")
    return piece
