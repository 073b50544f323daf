"""The measures. Each returns one number per server and round, and each round measures every server once."""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

import httpx2

from .servers import Http, Server, Stdio, memory

# Milliseconds, calls per second or bytes, by server.
Rounds = dict[str, list[float]]

SEQUENTIAL_CALLS, CONCURRENCY, CONCURRENT_CALLS = 40, 32, 256


def interleave(rounds: int, measures: Mapping[str, Callable[[], float]]) -> Rounds:
    """Take every measure once per round, in random order."""
    results: Rounds = {name: [] for name in measures}
    names = list(measures)
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            results[name].append(measures[name]())
    return results


def start_times(servers: list[Server], rounds: int) -> Rounds:
    """Return the milliseconds from spawn to the response to `tools/list`, in an empty directory and home."""

    def measure(server: Server) -> float:
        with tempfile.TemporaryDirectory() as empty:
            began = time.perf_counter()
            with Stdio(_in_directory(server, empty)) as connection:
                connection.initialize()
                return _milliseconds_since(began)

    for server in servers:
        _compile(server)
    return interleave(rounds, {server.name: lambda server=server: measure(server) for server in servers})


def first_call_times(servers: list[Server], rounds: int) -> Rounds:
    """Return the milliseconds from spawn to the response to a call that directly follows `tools/list`."""

    def measure(server: Server) -> float:
        began = time.perf_counter()
        with Stdio(server) as connection:
            connection.initialize()
            connection.call()
            return _milliseconds_since(began)

    return interleave(rounds, {server.name: lambda server=server: measure(server) for server in servers})


def command_times(commands: Mapping[str, list[str]], rounds: int) -> Rounds:
    """Return the milliseconds from spawn to exit of commands, in an empty directory and home."""

    def measure(command: list[str]) -> float:
        with tempfile.TemporaryDirectory() as empty:
            began = time.perf_counter()
            with _in_directory(Server("", tuple(command)), empty).spawn() as process:
                process.communicate()
            return _milliseconds_since(began)

    return interleave(rounds, {name: lambda command=command: measure(command) for name, command in commands.items()})


def stdio_calls(servers: list[Server], origin: str, rounds: int) -> tuple[Rounds, Rounds]:
    """Return the milliseconds of sequential calls (the median of each round) and the concurrent calls per second."""
    with ExitStack() as stack:
        clients: dict[str, Stdio | Direct] = {server.name: stack.enter_context(Stdio(server)) for server in servers}
        for client in clients.values():
            assert isinstance(client, Stdio)
            client.initialize()
        clients["direct httpx2"] = stack.enter_context(Direct(origin))
        return _call_times(clients, rounds)


def http_calls(servers: list[Server], modern: bool, rounds: int, *, session: bool = False) -> tuple[Rounds, Rounds]:
    """Return the same for Streamable HTTP, with the 2026 (modern) or the 2025 protocol, without or with a session."""
    with ExitStack() as stack:
        connections = {server.name: stack.enter_context(Http(server, modern, session)) for server in servers}
        return _call_times(connections, rounds)


def memory_sizes(servers: list[Server], calls: int) -> dict[str, dict[str, float]]:
    """Return the resident megabytes after one call, after 10 % of the calls and after all calls."""
    results = {}
    for server in servers:
        with Stdio(server) as connection:
            connection.initialize()
            connection.call()
            time.sleep(0.5)
            idle, _ = memory(connection.process)
            connection.call_concurrently(calls // 10, CONCURRENCY)
            early, _ = memory(connection.process)
            connection.call_concurrently(calls - calls // 10, CONCURRENCY)
            late, anonymous = memory(connection.process)
        sizes = {"idle": idle, "early": early, "late": late, "late, without pages of files": anonymous}
        results[server.name] = {name: size / 1e6 for name, size in sizes.items()}
    return results


def message_sizes(servers: list[Server]) -> dict[str, dict[str, float]]:
    """Return the characters of the tool list and of the response to one call."""
    results = {}
    for server in servers:
        with Stdio(server) as connection:
            tools, response = connection.initialize(), connection.call()
        results[server.name] = {"tools/list": float(len(tools)), "tools/call": float(len(response))}
    return results


def call_times_by_size(servers: list[Server], sizes: list[int], rounds: int) -> dict[int, Rounds]:
    """Return the milliseconds of a call by the bytes of the API's response (the median of three calls)."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Stdio(server)) for server in servers]
        for connection in connections:
            connection.initialize()

        def measure(connection: Stdio, size: int) -> float:
            return statistics.median(_milliseconds(connection.call, size) for _ in range(3))

        return {
            size: interleave(rounds, {c.server.name: lambda c=c, size=size: measure(c, size) for c in connections})
            for size in sizes
        }


class Direct:
    """An httpx2 client without an MCP server in between."""

    def __init__(self, origin: str) -> None:
        self._loop = asyncio.new_event_loop()
        limits = httpx2.Limits(max_connections=CONCURRENCY, max_keepalive_connections=8)
        self._client = httpx2.AsyncClient(base_url=origin, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def call(self) -> None:
        """Send one request."""
        self._loop.run_until_complete(self._get())

    def call_concurrently(self, calls: int, concurrency: int) -> None:
        """Send a number of requests, of which `concurrency` are open at any time."""

        async def get_all() -> None:
            semaphore = asyncio.Semaphore(concurrency)

            async def get() -> None:
                async with semaphore:
                    await self._get()

            await asyncio.gather(*(get() for _ in range(calls)))

        self._loop.run_until_complete(get_all())

    async def _get(self) -> None:
        (await self._client.get("/api/projects/3/subscriptions/1/")).json()


def _call_times(clients: Mapping[str, Stdio | Http | Direct], rounds: int) -> tuple[Rounds, Rounds]:
    def sequential(client: Stdio | Http | Direct) -> float:
        return statistics.median(_milliseconds(client.call) for _ in range(SEQUENTIAL_CALLS))

    def concurrent(client: Stdio | Http | Direct) -> float:
        return CONCURRENT_CALLS / (_milliseconds(client.call_concurrently, CONCURRENT_CALLS, CONCURRENCY) / 1000)

    for client in clients.values():  # warm up
        sequential(client)
        concurrent(client)
    return (
        interleave(rounds, {name: lambda client=client: sequential(client) for name, client in clients.items()}),
        interleave(rounds, {name: lambda client=client: concurrent(client) for name, client in clients.items()}),
    )


def _milliseconds(function: Callable[..., object], *args: object) -> float:
    began = time.perf_counter()
    function(*args)
    return _milliseconds_since(began)


def _milliseconds_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _in_directory(server: Server, directory: str) -> Server:
    return replace(server, cwd=directory, environ={**server.environ, "HOME": directory})


def _compile(server: Server) -> None:
    """Start a server once, so that its bytecode exists."""
    with Stdio(server) as connection:
        connection.initialize()
        connection.call()


def start_upstream(python: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the API that all servers call, and return its process and its origin."""
    process = Server("upstream", (str(python), str(Path(__file__).parent / "peers" / "upstream.py"))).spawn()
    assert process.stdout
    return process, f"http://127.0.0.1:{int(process.stdout.readline())}"
