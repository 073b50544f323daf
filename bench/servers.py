"""The servers that the benchmark compares: how to start them, and clients that send raw messages."""

from __future__ import annotations

import json
import os
import select
import selectors
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

LEGACY, MODERN = "2025-11-25", "2026-07-28"
INITIALIZE = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "0"},
}
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "0"},
}

# The developer's own settings for these would change the results.
_IGNORED_VARIABLES = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")


@dataclass(frozen=True)
class Server:
    """A server's command, its environment, and the tool and arguments of the calls to it."""

    name: str
    command: tuple[str, ...]
    tool: str = "subscriptions-retrieve"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    cwd: str = tempfile.gettempdir()

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server with pipes, as an MCP client does; set BENCH_SHOW to see its stderr."""
        inherited = {name: value for name, value in os.environ.items() if name not in _IGNORED_VARIABLES}
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if "BENCH_SHOW" in os.environ else subprocess.DEVNULL,
            env={**inherited, **self.environ},
            cwd=self.cwd,
            bufsize=0,
        )

    def call_params(self, number: int = 0, size: int | None = None) -> dict[str, Any]:
        """Return the parameters of one call; with `size`, the API's response has that many bytes."""
        return {"name": self.tool, "arguments": {"project_id": 3, "id": size or 1 + number % 1000, **self.arguments}}


class Stdio:
    """A stdio connection to a server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.process = server.spawn()
        assert self.process.stdin and self.process.stdout
        self._stdin, self._stdout = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._buffer = bytearray()
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        terminate(self.process)

    def initialize(self) -> bytes:
        """Initialize the connection, and return the response to `tools/list`."""
        self.request("initialize", INITIALIZE)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self.request("tools/list", {})

    def request(self, method: str, params: Mapping[str, Any]) -> bytes:
        """Send one request and return its response."""
        self._send(method, params)
        return self._read_response()

    def call(self, size: int | None = None) -> bytes:
        """Call the tool once."""
        response = self.request("tools/call", self.server.call_params(self._last_id, size))
        _require_success(self.server, response)
        return response

    def call_concurrently(self, calls: int, concurrency: int) -> None:
        """Make a number of calls, of which `concurrency` are open at any time."""
        for number in range(calls):
            self._send("tools/call", self.server.call_params(number))
            if number >= concurrency - 1:
                self._read_response()
        for _ in range(concurrency - 1):
            self._read_response()

    def _send(self, method: str, params: Mapping[str, Any]) -> None:
        self._last_id += 1
        self._write({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})

    def _write(self, message: Mapping[str, Any]) -> None:
        os.write(self._stdin, json.dumps(message).encode() + b"\n")

    def _read_response(self) -> bytes:
        while b'"method":"notifications/' in (line := self._read_line())[:80]:
            pass
        return line

    def _read_line(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            data = os.read(self._stdout, 1 << 16)
            if not data:
                raise RuntimeError(f"{self.server.name} has ended")
            self._buffer += data
        with memoryview(self._buffer) as view:
            line = bytes(view[:end])
        del self._buffer[: end + 1]
        return line


class Http:
    """A server on a port, and keep-alive connections to it."""

    def __init__(self, server: Server, modern: bool, session: bool = False) -> None:
        self.server = server
        self.process = server.spawn()
        self._modern = modern
        self.port = self._wait_for_port()
        self._connections: list[socket.socket] = []
        self._last_id = 0
        self._session_header = self._open_session() if session else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        terminate(self.process)

    def call(self) -> None:
        """Call the tool once."""
        (connection,) = self._connect(1)
        connection.sendall(self._request())
        _require_success(self.server, _read_body(connection))

    def call_concurrently(self, calls: int, concurrency: int) -> None:
        """Make a number of calls, of which `concurrency` are open at any time."""
        remaining = calls - concurrency
        with selectors.DefaultSelector() as selector:
            for connection in self._connect(concurrency):
                selector.register(connection, selectors.EVENT_READ)
                connection.sendall(self._request())
            pending = concurrency
            while pending:
                for key, _ in selector.select():
                    connection = key.fileobj  # type: ignore[assignment] # only sockets are registered
                    _require_success(self.server, _read_body(connection))
                    if remaining:
                        connection.sendall(self._request())
                        remaining -= 1
                    else:
                        pending -= 1

    def _connect(self, count: int) -> list[socket.socket]:
        # A server may have closed connections that were idle during the turns of the other servers.
        self._connections = [open_ for open_ in self._connections if not select.select([open_], [], [], 0)[0]]
        while len(self._connections) < count:
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
        return self._connections[:count]

    def _open_session(self) -> str:
        """Initialize as a client that shows forms, and return the header of the session."""
        (connection,) = self._connect(1)
        connection.sendall(self._message("initialize", {**INITIALIZE, "capabilities": {"elicitation": {}}}, ""))
        head = _read_response(connection)[0].decode()
        return next(f"{line}\r\n" for line in head.split("\r\n") if line.lower().startswith("mcp-session-id:"))

    def _request(self) -> bytes:
        params = {**self.server.call_params(), **({"_meta": _META} if self._modern else {})}
        return self._message("tools/call", params, self._session_header)

    def _message(self, method: str, params: Mapping[str, Any], more_headers: str) -> bytes:
        # Requests of one session need different ids.
        self._last_id += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}).encode()
        version = MODERN if self._modern else LEGACY
        method_headers = f"Mcp-Method: tools/call\r\nMcp-Name: {self.server.tool}\r\n" if self._modern else ""
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {version}\r\n{method_headers}{more_headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _wait_for_port(self) -> int:
        """Return the port from CORE13_HTTP, or the one that a peer prints, once the server accepts connections."""
        if "CORE13_HTTP" in self.server.environ:
            port = int(self.server.environ["CORE13_HTTP"])
        else:
            assert self.process.stdout
            port = int(self.process.stdout.readline())
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.server.name} does not accept connections")


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def memory(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Return the resident bytes of a process: all, and those that are not pages of files."""
    _, resident, shared, *_ = map(int, Path(f"/proc/{process.pid}/statm").read_text().split())
    page = os.sysconf("SC_PAGE_SIZE")
    return resident * page, (resident - shared) * page


def terminate(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force after 5 seconds."""
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


def _require_success(server: Server, response: bytes) -> None:
    if b'"result"' not in response or b'"isError":true' in response:
        raise RuntimeError(f"{server.name}: {response[:700]!r}")


def _read_body(connection: socket.socket) -> bytes:
    return _read_response(connection)[1]


def _read_response(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one HTTP response and return its head and body; a chunked body is returned with its chunk sizes."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < lengths[0] if lengths else not body.endswith(b"0\r\n\r\n"):
        body += _receive(connection)
    return head, body


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise RuntimeError("the server has closed the connection")
    return data
