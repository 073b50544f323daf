"""The virtual environments of this server and of its peers, built again when their contents change."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"
PEERS = ("mcp>=2.3,<3", "fastmcp>=4.1,<5", "uvloop", "httptools")


def ours() -> Path:
    """Return the `bin` directory of an environment with this checkout, installed as users install it."""
    return _build("ours", [f"{ROOT}[fast]"], _source_hash())


def peers() -> Path:
    """Return the `bin` directory of an environment with the SDK and FastMCP."""
    return _build("peers", list(PEERS), "\n".join(PEERS))


def _build(name: str, packages: list[str], version: str) -> Path:
    directory, stamp = BUILD / name, BUILD / f"{name}.stamp"
    if not stamp.exists() or stamp.read_text() != version:
        print(f"building {directory}", file=sys.stderr)
        venv.create(directory, with_pip=True, clear=not directory.exists())
        pip = [directory / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([*pip, *packages], check=True, env=environ)
        stamp.write_text(version)
    return directory / "bin"


def _source_hash() -> str:
    files = [ROOT / "pyproject.toml", *(ROOT / "core13_mcp").rglob("*.py"), *(ROOT / "tools").rglob("*.json")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()
