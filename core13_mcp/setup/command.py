"""The command with which a client starts this installation."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from .. import identity
from ..errors import ConfigurationError
from ..identity import NAME, VERSION

# The name of an environment that `pipx run` creates.
_PIPX_RUN = re.compile(r"[0-9a-f]{15}")

_SYSTEM_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/private/tmp", "/private/var/folders")


def server_command(uvx: bool = False) -> list[str]:
    """Return the command that starts this installation, or, with `uvx`, this version with uvx.

    Raises:
        ConfigurationError: uvx is needed but is not on the PATH, or the package is not published.
    """
    cache = _cache_of(Path(sys.prefix))
    if uvx or cache:
        return [_uvx(cache), f"{NAME}@{VERSION}", "serve"]
    script = Path(sys.executable).with_name(NAME + (".exe" if sys.platform == "win32" else ""))
    return [str(script), "serve"] if script.is_file() else [sys.executable, "-m", "core13_mcp", "serve"]


def portable_command() -> list[str]:
    """Return the command for a file that is shared between machines: without a path."""
    return ["uvx", f"{NAME}@{VERSION}", "serve"] if identity.PUBLISHED else [NAME, "serve"]


def temporary_directory(program: str) -> Path | None:
    """Return the directory of temporary files that contains a program; None if there is none."""
    path = Path(program).absolute()
    directories = map(Path, dict.fromkeys((tempfile.gettempdir(), *_SYSTEM_TEMPORARY)))
    return next((directory for directory in directories if path.is_relative_to(directory)), None)


def _cache_of(prefix: Path) -> str | None:
    """Return the program that has this environment in its cache. A cache can be deleted at any time."""
    if any(part.startswith(("archive-v", "environments-v")) for part in prefix.parts):
        return "uvx"
    return "pipx run" if "pipx" in prefix.parts and _PIPX_RUN.fullmatch(prefix.name) else None


def _uvx(cache: str | None) -> str:
    path = shutil.which("uvx")
    if identity.PUBLISHED and path:
        return str(Path(path).absolute())
    reason = f"this installation is in the cache of {cache}, which can be deleted at any time" if cache else ""
    fix = f"Install {NAME} in an environment that stays, such as a virtual environment, and run `install` there."
    if not identity.PUBLISHED:
        unpublished = f"{NAME} is not published on PyPI yet, so uvx would run a package of someone else"
        raise ConfigurationError("; ".join(filter(None, (reason, unpublished))), fix)
    if reason:
        raise ConfigurationError(f"{reason}, and uvx, which can start it again, is not on the PATH", fix)
    raise ConfigurationError("uvx is not on the PATH; install uv, or omit --uvx to use this installation")
