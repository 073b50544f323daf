"""What the SDK answered at an earlier start, kept in a file that is named after everything the answers depend on.

So a stale record is never found: what changes gives another name. The name is a hash; no secret can be read from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, Self

from ..options import OPTIONS

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
            stamps = list(_stamps(said))
            runtime = (sys.version, sys.flags, sys.path, sys.prefix, os.getcwd())
        except OSError:
            return None
        name = hashlib.sha256(repr((sorted(said.items(), key=str), more, stamps, runtime)).encode()).hexdigest()[:40]
        settled = max(stamp[4] for stamp in stamps) < (time.time() - SETTLED) * 1e9
        with suppress(OSError, ValueError):
            return cls(place / name, settled)
        return None

    @property
    def known(self) -> bool:
        """Whether it holds answers."""
        return bool(self._places)

    def result(self, method: str, version: str) -> bytes | None:
        """The result of a method under a protocol version, as JSON.

        Raises:
            OSError: It cannot be read any more.
        """
        place = self._places.get(f"{method} {version}")
        if place is None:
            return None
        with _trusted(self._path) as held:
            held.seek(self._start + place[0])
            result = held.read(place[1])
        return result if len(result) == place[1] else None

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
    """This user's folder for what can be made again."""
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
        with os.scandir(folder) as entries:
            yield from sorted(_stamp(entry.path) for entry in entries if entry.name.endswith(".dist-info"))
    for file in filter(None, (said[name] for name in _FILES)):
        os.close(os.open(file, os.O_RDONLY))
        yield _stamp(file)


def _below(folder: str) -> list[Stamp]:
    found: list[Stamp] = []
    folders = [folder]
    while folders and len(found) < _MOST:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if not entry.is_dir():
                    found.append(_stamp(entry.path))
                elif entry.name != "__pycache__":
                    folders.append(entry.path)
    if folders:
        raise OSError(f"{folder} holds too much")
    return sorted(found)


def _stamp(path: str) -> Stamp:
    state = os.stat(path)
    return path, state.st_dev, state.st_ino, state.st_size, state.st_ctime_ns
