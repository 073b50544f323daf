"""Read and replace configuration files as a whole.

Each function raises ConfigurationError if the file system refuses the operation. Then the file is unchanged.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ..errors import ConfigurationError

# Claude Code keeps the history of all projects in its configuration file.
MAX_BYTES = 64 * 1024 * 1024


def read(path: Path) -> str | None:
    """Return the text of a file with its original line ends; None if the file does not exist."""
    try:
        # Opening a named pipe would wait for its writer, and a device can have no end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigurationError(f"{path} cannot be read: it is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigurationError(f"{path} cannot be read: it has more than {MAX_BYTES} bytes")
        return data.decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


def require_inside(path: Path, project: Path) -> None:
    """Raise ConfigurationError if a path in a project leads out of it through a symbolic link."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(project)):
        raise ConfigurationError(
            f"{path} leads to {real}, which is outside the project {project}; nothing was changed",
            "Replace the link by a file, or change the other file yourself.",
        )


def backup_path(path: Path) -> Path:
    """Return the path of the copy that `replace` keeps."""
    path = path.resolve()
    return path.with_name(f"{path.name}.before-core13-mcp")


def replace(path: Path, text: str, *, backup: bool = True) -> None:
    """Replace the content of a file atomically, and with `backup` keep a copy of the old content.

    An existing file keeps its mode, and a link stays a link. A new file has mode 600, because it can contain a key.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o600
        if path.exists():
            mode = path.stat().st_mode & 0o7777
            if backup:
                _write(backup_path(path), path.read_bytes(), mode)
        _write(path, text.encode(), mode)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
