"""Instructions that the server spends, counted by valgrind: the same on a busy machine and on a quiet one.

`python -m bench.instructions` fails when start-up, the first answers or a call got more than 5 % dearer than what
`instructions.json` says for this Python and these versions of the packages that most of the work is in; with others
nothing can be compared, which it says. `--record` writes down what is counted now. Only what the server itself executes
counts, not the kernel, the upstream or the driver.
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
from .servers import Server, Stdio, end

RECORD = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.05
FEW, MANY = 20, 140
_ENVIRON = {
    "POSTHOG_PERSONAL_API_KEY": "phx_" + "b" * 40,
    "PYTHONHASHSEED": "0",
    # Nothing can be written down there, so every start is a first one.
    "XDG_CACHE_HOME": "/dev/null",
}
_FRONT = """
import os
from core13_mcp.front.record import Record
from core13_mcp.grammar import parse
from core13_mcp.options import flags
Record.of({**os.environ, "XDG_CACHE_HOME": "/nowhere"}, flags(parse(["serve"])))
"""
_PACKAGES = ("anyio", "httpcore2", "httpx2", "mcp", "pydantic", "uvloop")


def main() -> int:
    """Count, then compare or record."""
    known: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    if "--record" not in sys.argv and known["with"] != about():
        print(
            f"SKIPPED: recorded with {known['with']}, and here is {about()}; run it with --record and read the change"
        )
        return 0
    _need_valgrind()
    counted = count(Path(sysconfig.get_path("scripts")))
    if "--record" not in sys.argv:
        return _compare(counted, known["counted"])
    RECORD.write_text(json.dumps({"with": about(), "counted": counted}, indent=2) + "\n", "utf-8")
    return _compare(counted, known["counted"]) and 0


def about() -> dict[str, str]:
    """What else the counts depend on."""
    return {"machine": platform.machine(), "python": platform.python_version(), **dict(_versions())}


def _versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def count(scripts: Path) -> dict[str, int]:
    """Instructions of commands, of a start up to its end, of what comes before the first answers, and of one call."""
    upstream = measures.upstream(Path(sys.executable))
    try:
        assert upstream.stdout
        origin = f"http://127.0.0.1:{int(upstream.stdout.readline())}"
        with tempfile.TemporaryDirectory() as scratch:
            return _count(
                Server("ours", (str(scripts / "core13-mcp"),), environ=_ENVIRON | {"POSTHOG_HOST": origin}),
                Path(scratch),
            )
    finally:
        end(upstream)


def _count(server: Server, scratch: Path) -> dict[str, int]:
    with Stdio(server) as connection:
        connection.shake_hands()
        connection.call()  # so that bytecode is there
    front = replace(server, command=(sys.executable, "-c", _FRONT))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        few, many = (pool.submit(_served, server, scratch / f"{calls}", calls) for calls in (FEW, MANY))
        tools = pool.submit(_command, replace(server, command=(*server.command, "tools")), scratch / "tools")
        before = pool.submit(_command, front, scratch / "front")
    call = (many.result() - few.result()) // (MANY - FEW)
    return {"tools": tools.result(), "front": before.result(), "start": few.result() - FEW * call, "call": call}


def _served(server: Server, log: Path, calls: int) -> int:
    """Instructions from spawn over the handshake and so many calls to the end."""
    with Stdio(replace(server, command=_counting(server, log))) as connection:
        connection.shake_hands()
        for _ in range(calls):
            connection.call()
        assert connection.process.stdin
        connection.process.stdin.close()
        connection.process.wait(60)
    return _instructions(log)


def _command(server: Server, log: Path) -> int:
    with replace(server, command=_counting(server, log)).spawn() as process:
        process.communicate()
    return _instructions(log)


def _counting(server: Server, log: Path) -> tuple[str, ...]:
    valgrind = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    # The interpreter itself is named, so that no wrapper script is counted instead.
    interpreter = () if server.command[0] == sys.executable else (sys.executable,)
    return (*valgrind, f"--log-file={log}", *interpreter, *server.command)


def _instructions(log: Path) -> int:
    found = re.search(r"I\s+refs:\s+([\d,]+)", log.read_text())
    if found is None:
        raise RuntimeError(f"valgrind counted nothing:\n{log.read_text()}")
    return int(found[1].replace(",", ""))


def _compare(counted: dict[str, int], known: dict[str, int]) -> int:
    dearer = False
    for name, now in counted.items():
        change = now / known[name] - 1
        dearer |= change > TOLERANCE
        verdict = "DEARER" if change > TOLERANCE else "cheaper: record it" if change < -TOLERANCE else "ok"
        print(f"{name:8} {now:>15,} recorded {known[name]:>15,} {change:+7.1%}  {verdict}")
    return int(dearer)


def _need_valgrind() -> None:
    if shutil.which("valgrind") is None:
        print("installing valgrind", file=sys.stderr)
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "valgrind"], check=True)


if __name__ == "__main__":
    sys.exit(main())
