"""Virtual environments for this server and for the peers, built when something that they hold has changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "bench"
PEERS = ("mcp>=2.3,<3", "fastmcp>=4.1,<5", "uvloop", "httptools")


def ours() -> Path:
    """The `bin` folder of an environment that holds this checkout as its users would install it."""
    return _built("ours", [f"{ROOT}[fast]"], _state())


def peers() -> Path:
    """The `bin` folder of an environment that holds the SDK and FastMCP."""
    return _built("peers", list(PEERS), "\n".join(PEERS))


def _built(name: str, packages: list[str], state: str) -> Path:
    folder, stamp = PLACE / name, PLACE / f"{name}.stamp"
    if not stamp.exists() or stamp.read_text() != state:
        print(f"building {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=not folder.exists())
        again = ["--force-reinstall", "--no-deps"] if stamp.exists() else []
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([*pip, *again, *packages], check=True, env=environ)
        stamp.write_text(state)
    return folder / "bin"


def _state() -> str:
    """Changes whenever what would be installed does."""
    files = [ROOT / "pyproject.toml", *(ROOT / "core13_mcp").rglob("*.py"), *(ROOT / "tools").rglob("*.json")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()
