"""The files of sign-ins: one for each origin, which only their owner can read and change."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from ..errors import ConfigurationError, Core13Error
from ..files import write_atomically
from ..origins import login_command
from .stored import Record

# Bytes of a file.
MAX_BYTES = 64 * 1024

# Seconds between two attempts to get the lock.
LOCK_INTERVAL = 0.05

# Windows has neither owners nor modes of this kind; there, the folder of the user is private.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)

Version = tuple[int, int, int]


def login_directory(configured: str | None, platform: str, variables: Mapping[str, str]) -> Path:
    """Return the directory of the sign-ins.

    It does not depend on XDG_CONFIG_HOME, which an MCP client does not pass to the server.

    Raises:
        ConfigurationError: There is no home directory.
    """
    try:
        if configured:
            return Path(configured).expanduser().absolute()
        if platform == "win32" and (local := variables.get("LOCALAPPDATA")):
            return Path(local) / "core13-mcp"
        parent = "Library/Application Support" if platform == "darwin" else ".config"
        directory = Path.home() / parent / "core13-mcp"
    except (RuntimeError, OSError):
        directory = Path()
    # With a relative HOME, the directory would be below the current one, which can belong to others.
    if directory.is_absolute():
        return directory
    fix = "Set the variable HOME, or CORE13_LOGIN_DIR to an absolute path."
    raise ConfigurationError("the directory of the sign-ins is not known", fix)


class LockTimeout(Core13Error):
    """Another process has locked the file for too long."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another process has locked {path} for too long; try again")


class Store:
    """The file of one origin. It is read and replaced as a whole."""

    def __init__(self, directory: Path, origin: str) -> None:
        scheme, _, host = origin.lower().partition("://")
        self.origin = origin
        self.path = directory / f"{scheme}-{quote(host, safe='')}.json"

    def version(self) -> Version | None:
        """Return a value that changes with the file; None if there is no file."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def read(self) -> Record:
        """Return the content of the file, which is empty if there is no file.

        Raises:
            ConfigurationError: The file cannot be read, is not valid, or belongs to another user.
        """
        try:
            _require_private(self.path.parent, os.lstat(self.path.parent), stat.S_ISDIR, "directory")
            descriptor = os.open(self.path, os.O_RDONLY | _NO_FOLLOW)
        except FileNotFoundError:
            return Record(self.origin)
        except OSError as error:
            raise self._unusable(_reason(self.path, error)) from None
        try:
            _require_private(self.path, os.fstat(descriptor), stat.S_ISREG, "regular file")
            return Record.from_text(os.read(descriptor, MAX_BYTES).decode(), self.origin)
        except UnicodeDecodeError:
            raise self._unusable("it is not UTF-8 text") from None
        except (OSError, ValueError) as error:
            raise self._unusable(str(error)) from None
        finally:
            os.close(descriptor)

    def write(self, record: Record) -> None:
        """Replace the content of the file.

        Raises:
            ConfigurationError: The file cannot be written. Then the old content is still there.
        """
        try:
            self._create_directory()
            write_atomically(self.path, record.to_text().encode())
        except OSError as error:
            raise ConfigurationError(f"the sign-in cannot be stored in {self.path}: {error.strerror}") from None

    @asynccontextmanager
    async def lock(self, timeout: float) -> AsyncIterator[None]:
        """Exclude all other tasks and processes that lock this file. The end of a process releases its lock.

        Raises:
            LockTimeout: Another one has the lock for `timeout` seconds.
            ConfigurationError: The directory cannot be used.
        """
        import anyio  # a start over stdio only reads the file

        path = self.path.with_suffix(".lock")
        try:
            self._create_directory()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be used: {_reason(path, error)}") from None
        try:
            end = anyio.current_time() + timeout
            while not _try_lock(descriptor):
                if anyio.current_time() >= end:
                    raise LockTimeout(path)
                await anyio.sleep(LOCK_INTERVAL)
            yield
        finally:
            os.close(descriptor)

    def _create_directory(self) -> None:
        directory = self.path.parent
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        _require_private(directory, os.lstat(directory), stat.S_ISDIR, "directory")

    def _unusable(self, reason: str) -> ConfigurationError:
        fix = f"Delete the file, and run `{login_command(self.origin)}` in a terminal."
        return ConfigurationError(f"the file with the sign-in, {self.path}, cannot be used: {reason}", fix)


def _reason(path: Path, error: OSError) -> str:
    return "it is a symbolic link" if path.is_symlink() else error.strerror or "unknown reason"


def _require_private(path: Path, status: os.stat_result, is_kind: Callable[[int], bool], kind: str) -> None:
    """Raise ConfigurationError if another user can read or change a file or directory."""
    fix = "Move it away, and sign in again, or set CORE13_LOGIN_DIR to another directory."
    if stat.S_ISLNK(status.st_mode):
        raise ConfigurationError(f"{path} is a symbolic link; sign-ins are not read through it", fix)
    if not is_kind(status.st_mode):
        raise ConfigurationError(f"{path} is not a {kind}; sign-ins are not read from there", fix)
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return
    if status.st_uid != os.geteuid():
        raise ConfigurationError(f"{path} belongs to another user; sign-ins are not read from there", fix)
    if status.st_mode & 0o077:
        mode = "700" if kind == "directory" else "600"
        raise ConfigurationError(f"other users can use {path}", f"Run `chmod {mode} {path}`, and sign in again.")


def _try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed. Return False if another process has locked it."""
    try:
        if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
