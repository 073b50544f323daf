"""Small text files that are reloaded when they change, and files that are replaced as a whole."""

from __future__ import annotations

import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from .errors import ConfigurationError

T = TypeVar("T")

MAX_BYTES = 1024 * 1024


class WatchedFile(Generic[T]):
    """A value in a UTF-8 file, reloaded when the file changes, without a restart.

    Args:
        content: What the file contains, for error messages, such as "the API key".
        parse: Turns the text into the value; raises ValueError, with the reason, if the text is not valid.
    """

    def __init__(self, path: Path, content: str, parse: Callable[[str], T]) -> None:
        self._path = path
        self._content = content
        self._parse = parse
        # The value, and the time, inode and size of the file from which it was read.
        self._current: tuple[tuple[int, int, int], T] | None = None

    def read(self) -> T:
        """Return the current value.

        Raises:
            ConfigurationError: The file cannot be read, or its content is not valid.
        """
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino, status.st_size)
            if self._current is None or self._current[0] != version:
                self._current = (version, self._parse(self._text()))
            return self._current[1]
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            reason = "it is not UTF-8 text; save it as UTF-8"
        except ValueError as error:
            reason = str(error)
        raise ConfigurationError(f"the file with {self._content}, {self._path}: {reason}")

    def _text(self) -> str:
        # A device such as /dev/zero has no end.
        with self._path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES} bytes")
        # PowerShell and old versions of Notepad write UTF-16.
        if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in data:
            raise ValueError("it is UTF-16 text; save it as UTF-8")
        # Without the byte order mark that some editors write.
        return data.decode("utf-8-sig")


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file, so that every reader sees the old content or the new one.

    Raises:
        OSError: The file is not written. Then the old content is still there.
    """
    import tempfile  # takes 5 ms, and a start over stdio only reads files

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
