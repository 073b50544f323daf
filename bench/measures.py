"""What is measured. Each measure gives, for every contestant, one number a round; rounds are interleaved."""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx2

from .servers import Http, Server, Stdio, memory

Rounds = dict[str, list[float]]
"""Milliseconds, or calls a second, or bytes: one number a round for each contestant."""

CALLS, AT_ONCE, BURST = 40, 32, 256


def interleaved(rounds: int, contestants: Mapping[str, Callable[[], float]]) -> Rounds:
    """Let every contestant have its turn in each round, in an order that changes."""
    found: Rounds = {name: [] for name in contestants}
    order = list(contestants)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            found[name].append(contestants[name]())
    return found


def starts(servers: list[Server], rounds: int) -> Rounds:
    """Milliseconds from spawn to the answered `tools/list`. What is named `(first)` has an empty cache each time."""

    def start(server: Server) -> float:
        with tempfile.TemporaryDirectory() as empty:
            extra = {"XDG_CACHE_HOME": empty} if "(first)" in server.name else {}
            began = time.perf_counter()
            with Stdio(server, **extra) as connection:
                connection.shake_hands()
                return _since(began)

    for server in servers:
        _settle(server)
    return interleaved(rounds, {server.name: lambda server=server: start(server) for server in servers})


def first_calls(servers: list[Server], rounds: int) -> Rounds:
    """Milliseconds from spawn to the answer of a call that was sent as soon as the tools were known."""

    def start(server: Server) -> float:
        began = time.perf_counter()
        with Stdio(server) as connection:
            connection.shake_hands()
            connection.call()
            return _since(began)

    return interleaved(rounds, {server.name: lambda server=server: start(server) for server in servers})


def commands(lines: Mapping[str, list[str]], rounds: int) -> Rounds:
    """Milliseconds from spawn to exit of command lines."""

    def run(line: list[str]) -> float:
        began = time.perf_counter()
        with Server("", tuple(line)).spawn() as process:
            process.communicate()
        return _since(began)

    return interleaved(rounds, {name: lambda line=line: run(line) for name, line in lines.items()})


def stdio_calls(servers: list[Server], origin: str, rounds: int) -> tuple[Rounds, Rounds]:
    """Milliseconds of a call in sequence (the median of each round), and calls a second with 32 at once."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Stdio(server)) for server in servers]
        for connection in connections:
            connection.shake_hands()
        one = {connection.server.name: lambda c=connection: _one(c.call) for connection in connections}
        many = {connection.server.name: lambda c=connection: _many(c.call_at_once) for connection in connections}
        direct = stack.enter_context(Direct(origin))
        one["direct httpx2"], many["direct httpx2"] = lambda: _one(direct.call), lambda: _many(direct.call_at_once)
        return _both(one, many, rounds)


def http_calls(servers: list[Server], modern: bool, rounds: int) -> tuple[Rounds, Rounds]:
    """The same over Streamable HTTP, in the 2026 or the 2025 era."""
    with ExitStack() as stack:
        running = [stack.enter_context(Http(server, modern)) for server in servers]
        one = {http.server.name: lambda h=http: _one(h.call) for http in running}
        many = {http.server.name: lambda h=http: _many(h.call_at_once) for http in running}
        return _both(one, many, rounds)


def footprints(servers: list[Server], calls: int) -> dict[str, dict[str, float]]:
    """Resident megabytes after one call, after a tenth of the calls, and after all; and what of the last is no file."""
    found = {}
    for server in servers:
        with Stdio(server) as connection:
            connection.shake_hands()
            connection.call()
            time.sleep(0.5)
            at_rest, _ = memory(connection.process)
            connection.call_at_once(calls // 10, AT_ONCE)
            early, _ = memory(connection.process)
            connection.call_at_once(calls - calls // 10, AT_ONCE)
            late, own = memory(connection.process)
        said = {"at rest": at_rest, "early": early, "late": late, "without pages of files": own}
        found[server.name] = {name: size / 1e6 for name, size in said.items()}
    return found


def sizes(servers: list[Server]) -> dict[str, dict[str, float]]:
    """Characters of the tool list, and of the answer to one call."""
    found = {}
    for server in servers:
        with Stdio(server) as connection:
            listed, called = connection.shake_hands(), connection.call()
        found[server.name] = {"tools/list": float(len(listed)), "tools/call": float(len(called))}
    return found


def results(servers: list[Server], sizes: list[int], rounds: int) -> dict[int, Rounds]:
    """Milliseconds of a call by the bytes that the API answers."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Stdio(server)) for server in servers]
        for connection in connections:
            connection.shake_hands()
        return {
            size: interleaved(rounds, {c.server.name: lambda c=c, s=size: _timed(c.call, s) for c in connections})
            for size in sizes
        }


class Direct:
    """An httpx2 client that asks the upstream itself: the wire."""

    def __init__(self, origin: str) -> None:
        self._loop = asyncio.new_event_loop()
        limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=8)
        self._client = httpx2.AsyncClient(base_url=origin, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def call(self) -> None:
        """Ask once."""
        self._loop.run_until_complete(self._get())

    def call_at_once(self, calls: int, width: int) -> None:
        """Ask so many times, `width` at any time."""

        async def all_of_them() -> None:
            turns = asyncio.Semaphore(width)

            async def one() -> None:
                async with turns:
                    await self._get()

            await asyncio.gather(*(one() for _ in range(calls)))

        self._loop.run_until_complete(all_of_them())

    async def _get(self) -> None:
        (await self._client.get("/api/projects/3/subscriptions/1/")).json()


def _both(
    one: Mapping[str, Callable[[], float]], many: Mapping[str, Callable[[], float]], rounds: int
) -> tuple[Rounds, Rounds]:
    for act in (*one.values(), *many.values()):
        act()  # warm
    return interleaved(rounds, one), interleaved(rounds, many)


def _one(call: Callable[[], object]) -> float:
    return statistics.median(_timed(call) for _ in range(CALLS))


def _many(call_at_once: Callable[[int, int], object]) -> float:
    return BURST / (_timed(call_at_once, BURST, AT_ONCE) / 1000)


def _timed(act: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    act(*arguments)
    return _since(began)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _settle(server: Server) -> None:
    """Start it once, so that bytecode and whatever it writes down are there, as on any day but the first."""
    with Stdio(server) as connection:
        connection.shake_hands()
        connection.call()
        time.sleep(3.0)


def upstream(python: Path) -> subprocess.Popen[bytes]:
    """Start the upstream."""
    return Server("upstream", (str(python), str(Path(__file__).parent / "peers" / "upstream.py"))).spawn()
