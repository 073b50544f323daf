"""Read and replace configuration files as a whole.

Each function raises ConfigurationError if the file system refuses the operation. Then the file is unchanged.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ConfigurationError


def read(path: Path) -> str | None:
    """Return the text of a file with its original line ends; None if the file does not exist."""
    with _os_errors(path, "read"):
        try:
            return path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise ConfigurationError(f"{path} cannot be read: it is not UTF-8 text; save it as UTF-8") from None


def backup_path(path: Path) -> Path:
    """Return the path of the copy that `replace` keeps."""
    path = path.resolve()
    return path.with_name(f"{path.name}.before-core13-mcp")


def replace(path: Path, text: str, *, private: bool = False, backup: bool = True) -> None:
    """Replace the content of a file atomically.

    An existing file keeps its mode, and a link stays a link.

    Args:
        private: Whether only the owner can read the file, if it is new.
        backup: Whether to keep a copy of the old content at `backup_path`.
    """
    path = path.resolve()
    with _os_errors(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        old = path.read_bytes() if path.exists() else None
        mode = path.stat().st_mode & 0o7777 if old is not None else _new_mode(private)
        if old is not None and backup:
            _write(backup_path(path), old, mode)
        _write(path, text.encode(), mode)


def delete_backup(path: Path) -> None:
    """Delete the copy of a file that `replace` keeps, if there is one."""
    copy = backup_path(path)
    with _os_errors(copy, "deleted"):
        copy.unlink(missing_ok=True)


@contextmanager
def _os_errors(path: Path, action: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be {action}: {error.strerror}") from None


def _new_mode(private: bool) -> int:
    if private:
        return 0o600
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


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
