"""What the SDK answered at an earlier start, kept in a file that is named after everything the answers depend on.

So a stale record is never found: what changes gives another name. The name is a hash; no secret can be read from it.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import select
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from itertools import islice
from pathlib import Path
from stat import S_ISDIR
from typing import Any, NamedTuple, Self

from ....settings import OPTIONS

SETTLED = 2.0
"""Seconds that a file must have been unchanged: within one tick of the clock, two states look the same."""

KEPT = 16
"""Records that are kept, for as many ways of starting; the oldest go first."""

_MOST = 10_000
_FILES = ("POSTHOG_PERSONAL_API_KEY_FILE",)
_NOT_FOR = ("CORE13_HTTP", "CORE13_SANDBOX_DB")
# Over HTTP there is no first connection; and whether a database can be opened shows only when it is.

Stamp = tuple[str, int, int, int, int]
"""A file's path, device, inode, size and the time of its last change in nanoseconds, which nobody can set back."""


class Result(NamedTuple):
    """A part of an open file: the result of one method, as JSON."""

    file: BufferedReader
    at: int
    length: int

    def read(self) -> bytes:
        """All of it."""
        return os.pread(self.file.fileno(), self.length, self.at)

    def send(self, sink: int) -> None:
        """Write it, without a copy in this process where the system can.

        Raises:
            OSError: Nobody reads it, or it is cut short.
        """
        file, at, end = self.file.fileno(), self.at, self.at + self.length
        while at < end:
            try:
                sent = os.sendfile(sink, file, at, end - at)
            except BlockingIOError:  # whoever started this shares a pipe that does not wait
                select.select([], [sink], [])
                continue
            except OSError:  # as macOS does for a pipe
                sent = os.write(sink, os.pread(file, end - at, at))
            if not sent:
                raise OSError("the record is cut short")
            at += sent


class Record:
    """The answers of an earlier start like this one, or the place for them."""

    def __init__(self, path: Path, settled: bool) -> None:
        self._path, self._settled = path, settled
        self._places: dict[str, list[int]] = {}
        self._start = 0
        with suppress(FileNotFoundError, ValueError), _trusted(path) as held:
            self._places, self._start = json.loads(held.readline()), held.tell()

    @classmethod
    def of(cls, environ: Mapping[str, str], given: Mapping[str, Any], more: object = None) -> Self | None:
        """The record for a start with this environment, these flags and more; None where none can be kept."""
        said = {o.variable: given.get(o.name, environ.get(o.variable, "").strip() or None) for o in OPTIONS}
        said |= {name: text for name, text in environ.items() if name.startswith("CORE13_") and name not in said}
        place = _place(environ)
        if place is None or any(said[name] is not None for name in _NOT_FOR):
            return None
        try:
            stamps = list(islice(_stamps(said), _MOST + 1))
            runtime = (sys.version, sys.flags, sys.path, sys.prefix, os.getcwd())
        except OSError:
            return None
        if len(stamps) > _MOST:
            return None
        named = hashlib.sha256(repr((sorted(said.items(), key=str), more, runtime)).encode())
        named.update(marshal.dumps(stamps, 2))  # of thousands of files, for which `repr` is slow
        name = named.hexdigest()[:40]
        settled = max(stamp[4] for stamp in stamps) < (time.time() - SETTLED) * 1e9
        with suppress(OSError, ValueError):
            return cls(place / name, settled)
        return None

    @property
    def known(self) -> bool:
        """Whether it holds answers."""
        return bool(self._places)

    @contextmanager
    def result(self, method: str, version: str) -> Iterator[Result | None]:
        """The result of a method under a protocol version, if it is known.

        Raises:
            OSError: It cannot be read any more.
        """
        place = self._places.get(f"{method} {version}")
        if place is None:
            yield None
            return
        with _trusted(self._path) as held:
            found = Result(held, self._start + place[0], place[1])
            whole = os.fstat(held.fileno()).st_size >= found.at + found.length
            yield found if whole else None

    def write(self, results: Mapping[str, bytes]) -> None:
        """Keep the results, by method and version. Where they cannot be kept, the next start is as slow as this."""
        if not self._settled:
            return
        places, at = {}, 0
        for name, result in results.items():
            places[name], at = [at, len(result)], at + len(result)
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self._path, b"\n".join((json.dumps(places).encode(), b"".join(results.values()))))
            for old in sorted(self._path.parent.iterdir(), key=lambda file: file.stat().st_mtime)[:-KEPT]:
                old.unlink()


def _place(environ: Mapping[str, str]) -> Path | None:
    """This user's folder for what can be made again; none where nobody can say who else could have written there."""
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return None
    default = "~/Library/Caches" if sys.platform == "darwin" else "~/.cache"
    folder = Path(environ.get("XDG_CACHE_HOME") or os.path.expanduser(default))
    return folder / "core13-mcp" if folder.is_absolute() else None


def _trusted(path: Path) -> BufferedReader:
    """The file, opened.

    Raises:
        FileNotFoundError: It is not there.
        PermissionError: Somebody else could have written it.
    """
    held = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
    for state in (path.parent.stat(), os.fstat(held.fileno())):
        if state.st_uid != os.geteuid() or state.st_mode & 0o022:
            held.close()
            raise PermissionError(str(path))
    return held


def _replace(path: Path, data: bytes) -> None:
    """Put a whole file in place at once, readable by its owner only."""
    import tempfile  # costs as much as all else here, and a start that finds its record does not write

    file, scratch = tempfile.mkstemp(dir=path.parent)
    try:
        with open(file, "wb") as held:
            held.write(data)
        os.replace(scratch, path)
    except OSError:
        os.unlink(scratch)
        raise


def _stamps(said: Mapping[str, Any]) -> Iterator[Stamp]:
    """The state of every file that the answers depend on: declarations, our code, the installed packages, the key's.

    Raises:
        OSError: One of them cannot be read.
    """
    ours = os.path.dirname(os.path.dirname(__file__))
    beside = os.path.join(os.path.dirname(ours), "tools")
    extra = said["CORE13_TOOLS_DIR"]
    for folder in (ours, *([beside] if os.path.isdir(beside) else []), *([extra] if extra else [])):
        yield from _below(folder)
    for folder in filter(os.path.isdir, sys.path):
        installed = (os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".dist-info"))
        yield from (_stamp(path, os.stat(path)) for path in installed)
    for file in filter(None, (said[name] for name in _FILES)):
        os.close(os.open(file, os.O_RDONLY))
        yield _stamp(file, os.stat(file))


def _below(folder: str) -> Iterator[Stamp]:
    folders = [folder]
    while folders:
        folder = folders.pop()
        for name in sorted(os.listdir(folder)):
            path = f"{folder}/{name}"  # `os.path.join` takes as long as asking for the state
            state = os.stat(path)
            if not S_ISDIR(state.st_mode):
                yield _stamp(path, state)
            elif name != "__pycache__":
                folders.append(path)


def _stamp(path: str, state: os.stat_result) -> Stamp:
    return path, state.st_dev, state.st_ino, state.st_size, state.st_ctime_ns
