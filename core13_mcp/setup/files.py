"""Configuration files, read and replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..errors import ConfigurationError


def read(path: Path) -> str | None:
    """The text of a file with its own line ends; None where there is no file.

    Raises:
        ConfigurationError: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read ({type(error).__name__})") from None


def backup(path: Path) -> Path:
    """Where the file as it was before the last change is kept."""
    path = path.resolve()
    return path.with_name(f"{path.name}.before-core13-mcp")


def replace(path: Path, text: str, private: bool) -> None:
    """Put a text in place of a file at once, or not at all, with a copy of what was there beside it.

    Its mode stays, and a link stays a link; a new private file is its owner's only.

    Raises:
        ConfigurationError: It cannot be written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        old = path.read_bytes() if path.exists() else None
        mode = path.stat().st_mode & 0o7777 if old is not None else _mode(private)
        if old is not None:
            _write(backup(path), old, mode)
        _write(path, text.encode(), mode)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({type(error).__name__})") from None


def restore(path: Path, text: str | None) -> None:
    """Put a text in place of a file without keeping a copy; None removes the file.

    Raises:
        ConfigurationError: It cannot be written.
    """
    path = path.resolve()
    try:
        if text is None:
            path.unlink()
        else:
            _write(path, text.encode(), path.stat().st_mode & 0o7777)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written ({type(error).__name__})") from None


def _mode(private: bool) -> int:
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
