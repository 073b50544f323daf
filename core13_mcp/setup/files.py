"""Read, replace and back up configuration files as a whole.

Each function raises ConfigurationError if the file system refuses the operation. Then the file is unchanged.
"""

from __future__ import annotations

import glob
import os
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from ..errors import ConfigurationError
from ..files import write_atomically

# Claude Code keeps the history of all projects in its configuration file.
MAX_BYTES = 64 * 1024 * 1024

# Behind the name of a file, and before the time, in the name of a copy.
_BACKUP_SUFFIX = ".before-core13-mcp"


def read(path: Path) -> str | None:
    """Return the text of a file with its original line ends; None if the file does not exist."""
    data = read_bytes(path)
    if data is None:
        return None
    # PowerShell and old versions of Notepad write UTF-16.
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in data:
        raise ConfigurationError(f"{path} cannot be read: it is UTF-16 text; save it as UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8 text; save it as UTF-8") from None


def read_bytes(path: Path) -> bytes | None:
    """Return the content of a file; None if the file does not exist."""
    try:
        # Opening a named pipe would wait for its writer, and a device can have no end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigurationError(f"{path} cannot be read: it is not a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{path} cannot be read: it has more than {MAX_BYTES} bytes")
    return data


def require_inside(path: Path, project: Path) -> None:
    """Raise ConfigurationError if a path in a project leads out of it through a symbolic link."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(project)):
        raise ConfigurationError(
            f"{path} leads to {real}, which is outside the project {project}; nothing was changed",
            "Replace the link by a file, or change the other file yourself.",
        )


def backups(path: Path) -> list[Path]:
    """Return the copies of a file that `back_up` made, the oldest first."""
    path = path.resolve()
    return sorted(path.parent.glob(f"{glob.escape(path.name)}{_BACKUP_SUFFIX}*"))


def back_up(path: Path) -> Path | None:
    """Copy a file, if it exists, beside itself with the time in the name, and return the copy.

    An identical copy is reused.
    """
    path, content = path.resolve(), read_bytes(path)
    if content is None:
        return None
    for existing in backups(path):
        if read_bytes(existing) == content:
            return existing
    time = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    copy = path.with_name(f"{path.name}{_BACKUP_SUFFIX}-{time}")
    with _errors_with_path(copy):
        write_atomically(copy, content, path.stat().st_mode & 0o7777)
    return copy


def replace(path: Path, content: bytes) -> None:
    """Replace the content of a file atomically.

    An existing file keeps its mode, and a link stays a link. A new file has mode 600, because it can contain a key.
    """
    path = path.resolve()
    with _errors_with_path(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o600
        if path.exists():
            status = path.stat()
            mode = status.st_mode & 0o7777
            _require_replaceable(path, status)
        write_atomically(path, content, mode)


def delete(path: Path, keep: Collection[Path]) -> None:
    """Delete a file, and the empty directories above it up to one of `keep`."""
    with _errors_with_path(path):
        path.unlink()
    below = takewhile(lambda directory: not any(kept.is_relative_to(directory) for kept in keep), path.parents)
    with suppress(OSError):
        for directory in below:
            directory.rmdir()


def _require_replaceable(path: Path, status: os.stat_result) -> None:
    """Raise ConfigurationError if a replaced file would lose something that its owner set up."""
    if not status.st_mode & stat.S_IWUSR:
        raise ConfigurationError(
            f"{path} is read-only; nothing was changed", f"Run `chmod u+w {path}` to allow changes."
        )
    # On Windows the number can be wrong, and few files have several links.
    if status.st_nlink > 1 and os.name != "nt":
        raise ConfigurationError(
            f"{path} is a hard link to a file that has other names; nothing was changed",
            "A replaced file would be separated from them. Use a symbolic link instead.",
        )


@contextmanager
def _errors_with_path(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}; nothing was changed") from None
