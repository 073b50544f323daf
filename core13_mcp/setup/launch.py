"""The command that a client runs to start this server: absolute, and always the same version."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ..errors import ConfigurationError
from ..identity import NAME, VERSION


def command(uvx: bool = False) -> list[str]:
    """The absolute command, with its arguments.

    It is this very installation, whose version only changes when somebody changes it. Where that will not last,
    because uvx made it for one run, or where it is asked for, it is uvx with the version pinned.

    Raises:
        ConfigurationError: uvx is needed and not found.
    """
    if uvx or passing():
        return [_uvx(), f"{NAME}@{VERSION}", "serve"]
    script = Path(sys.executable).with_name(NAME + (".exe" if sys.platform == "win32" else ""))
    return [str(script), "serve"] if script.is_file() else [sys.executable, "-m", "core13_mcp", "serve"]


def passing() -> bool:
    """Whether this runs from uv's cache, which may be cleared at any time."""
    return any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts)


def _uvx() -> str:
    found = shutil.which("uvx")
    if found is None:
        raise ConfigurationError("uvx is not on the PATH; install uv, or leave --uvx out to use this installation")
    return str(Path(found).absolute())
