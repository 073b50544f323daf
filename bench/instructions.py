"""Count the CPU instructions of this server with valgrind, and compare them with the recorded numbers.

Usage: python -m bench.instructions [--record]

The numbers do not depend on the load of the machine. Only the server's own process counts. The comparison fails if
`core13-mcp tools`, a start or a call needs over 5 % more instructions than instructions.json records. With another Python
or with other versions of the main packages, it compares nothing and reports that. `--record` saves the new numbers.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from . import measures
from .servers import Server, Stdio, terminate

RECORD = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.05

# Calls of two runs. The difference between the runs, divided by the difference in calls, is one call.
FEW, MANY = 20, 140

_PACKAGES = ("anyio", "httpcore2", "httpx2", "mcp", "pydantic", "uvloop")


def main() -> int:
    """Count, then compare or record; return 1 if a number is too high."""
    record: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    recording = "--record" in sys.argv
    if not recording and record["with"] != environment():
        print(f"SKIPPED: the record is for {record['with']}, but this is {environment()}. Use --record.")
        return 0
    _install_valgrind()
    counts = count(Path(sysconfig.get_path("scripts")))
    if recording:
        RECORD.write_text(json.dumps({"with": environment(), "counted": counts}, indent=2) + "\n", "utf-8")
    exceeded = _compare(counts, record["counted"])
    return 0 if recording else int(exceeded)


def environment() -> dict[str, str]:
    """Return the versions on which the numbers depend."""
    return {"machine": platform.machine(), "python": platform.python_version(), **dict(_versions())}


def _versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def count(scripts: Path) -> dict[str, int]:
    """Return the instructions of `core13-mcp tools`, of a start with its tool list, and of a call."""
    upstream, origin = measures.start_upstream(Path(sys.executable))
    environ = {"POSTHOG_PERSONAL_API_KEY": "phx_" + "b" * 40, "POSTHOG_HOST": origin, "PYTHONHASHSEED": "0"}
    server = Server("ours", (str(scripts / "core13-mcp"),), environ=environ)
    try:
        with Stdio(server) as connection:  # creates the bytecode
            connection.initialize()
            connection.call()
        with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = {
                calls: pool.submit(_count_server, server, Path(directory, f"{calls}"), calls) for calls in (FEW, MANY)
            }
            tools = pool.submit(_count_command, server, Path(directory, "tools"), "tools")
            call = (runs[MANY].result() - runs[FEW].result()) // (MANY - FEW)
            return {"tools": tools.result(), "start": runs[FEW].result() - FEW * call, "call": call}
    finally:
        terminate(upstream)


def _count_server(server: Server, log: Path, calls: int) -> int:
    with Stdio(_under_valgrind(server, log)) as connection:
        connection.initialize()
        for _ in range(calls):
            connection.call()
        assert connection.process.stdin
        connection.process.stdin.close()
        connection.process.wait(60)
    return _read_count(log)


def _count_command(server: Server, log: Path, *arguments: str) -> int:
    with _under_valgrind(server, log, *arguments).spawn() as process:
        process.communicate()
    return _read_count(log)


def _under_valgrind(server: Server, log: Path, *arguments: str) -> Server:
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    # Starts the interpreter directly, because valgrind would otherwise count a wrapper script.
    return replace(server, command=(*valgrind, f"--log-file={log}", sys.executable, *server.command, *arguments))


def _read_count(log: Path) -> int:
    instructions = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text())
    if instructions is None:
        raise RuntimeError(f"valgrind has counted nothing:\n{log.read_text()}")
    return int(instructions[1].replace(",", ""))


def _compare(counts: dict[str, int], recorded: dict[str, int]) -> bool:
    """Print all numbers; return whether one exceeds the tolerance."""
    exceeded = False
    for name, number in counts.items():
        change = number / recorded[name] - 1
        exceeded |= change > TOLERANCE
        verdict = "TOO MANY" if change > TOLERANCE else "fewer: record it" if change < -TOLERANCE else "ok"
        print(f"{name:8} {number:>15,} recorded {recorded[name]:>15,} {change:+7.1%}  {verdict}")
    return exceeded


def _install_valgrind() -> None:
    if shutil.which("valgrind") is None:
        print("installing valgrind", file=sys.stderr)
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "valgrind"], check=True)


if __name__ == "__main__":
    sys.exit(main())
