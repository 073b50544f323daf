"""The command with which a client starts this server: an absolute path and a fixed version."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from ..errors import ConfigurationError
from ..identity import NAME, VERSION


def command(uvx: bool = False) -> list[str]:
    """Return the command that starts this installation, or, with `uvx`, this version with uvx.

    Raises:
        ConfigurationError: uvx is needed but is not on the PATH.
    """
    # uv's cache can be deleted at any time.
    in_cache = any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts)
    if uvx or in_cache:
        path = shutil.which("uvx")
        if path is None:
            raise ConfigurationError("uvx is not on the PATH; install uv, or omit --uvx to use this installation")
        return [str(Path(path).absolute()), f"{NAME}@{VERSION}", "serve"]
    script = Path(sys.executable).with_name(NAME + (".exe" if sys.platform == "win32" else ""))
    return [str(script), "serve"] if script.is_file() else [sys.executable, "-m", "core13_mcp", "serve"]
