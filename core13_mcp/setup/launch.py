"""The command with which a client starts this server: an absolute path and a fixed version."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ..errors import ConfigurationError
from ..identity import NAME, VERSION


def command(uvx: bool = False) -> list[str]:
    """Return the command and its arguments.

    The command starts this installation. If uvx created this installation for one run, or if `uvx` is set, the
    command is uvx with this version pinned.

    Raises:
        ConfigurationError: uvx is needed but is not on the PATH.
    """
    if uvx or is_ephemeral():
        return [_uvx(), f"{NAME}@{VERSION}", "serve"]
    script = Path(sys.executable).with_name(NAME + (".exe" if sys.platform == "win32" else ""))
    return [str(script), "serve"] if script.is_file() else [sys.executable, "-m", "core13_mcp", "serve"]


def is_ephemeral() -> bool:
    """Whether this process runs from uv's cache, which can be deleted at any time."""
    return any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts)


def _uvx() -> str:
    path = shutil.which("uvx")
    if path is None:
        raise ConfigurationError("uvx is not on the PATH; install uv, or omit --uvx to use this installation")
    return str(Path(path).absolute())
