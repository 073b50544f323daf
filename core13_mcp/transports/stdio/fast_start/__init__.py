"""The first answers of a stdio connection, given before the SDK is imported.

Importing it takes over a second, and what a client asks first has the same answers as the last time. So a start
writes down the SDK's own answers (`dictation`), the next one with the same everything (`record`) says them at once
while the rest is imported, and then hands the connection over with all that it has read. What it does not know
(`frames`) it leaves to the SDK, with everything after it. Delete this folder and its lines in `cli` and
`commands/serve`, and the server does the same, a second later.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..pipes import stdio_is_pollable
from .frames import Question, question
from .record import Record

if TYPE_CHECKING:
    from mcp.server import Server

_LONGEST = 64 * 1024
_AT_ONCE = 0.005
# Seconds within which a client that is waiting asks on. Until then nothing is imported beside answering it: the two
# would only take turns.

_QUICKLY = 0.0005
# Seconds after which the importing thread lets the answering one go on; Python's own 5 ms add up to tens.


class Front:
    """Answers on stdin and stdout, in a thread, until the connection is handed over."""

    def __init__(self, record: Record | None, source: int = 0, sink: int = 1) -> None:
        self._record, self._source, self._sink = record, source, sink
        self._read = bytearray()
        self._seen = 0
        self._asked: Question | None = None
        self._answered: set[str | int] = set()
        self._thread: threading.Thread | None = None

    @classmethod
    def open(cls, environ: Mapping[str, str], given: Mapping[str, Any]) -> Front:
        """Begin to answer, if there is a record of a start with this environment and these flags."""
        front = cls(Record.of(environ, given) if stdio_is_pollable() else None)
        if front._record is not None and front._record.known:
            # Until the connection is handed over nothing is under way that a SIGTERM would have to wait for.
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            front.start()
        return front

    def start(self) -> None:
        """Answer from the record what is asked at once, and from then on in a thread."""
        if not self._serve([self._source], _AT_ONCE):
            return
        self._ends, self._end = os.pipe()
        self._switching = sys.getswitchinterval()
        sys.setswitchinterval(_QUICKLY)
        self._thread = threading.Thread(target=self._serve, args=([self._source, self._ends],), daemon=True)
        self._thread.start()

    def hand_over(self) -> tuple[bytes, set[str | int]]:
        """Stop; return everything that was read, and the ids of the requests in it that have been answered."""
        if self._thread is not None:
            os.write(self._end, b".")
            self._thread.join()
            os.close(self._end)
            os.close(self._ends)
            sys.setswitchinterval(self._switching)
            self._thread = None
        return bytes(self._read), self._answered

    async def keep(self, server: Server[Any]) -> None:
        """Write down what this server answers, for the next start; does nothing where that is known already."""
        if self._record is None or self._record.known:
            return
        from .dictation import take_down

        if results := await take_down(server):
            self._record.write(results)

    def _serve(self, watched: list[int], patience: float | None = None) -> bool:
        """Answer until something else is ready to read or nothing is, for `patience` seconds; false at the end of it."""
        # What cannot be written or read here cannot be by the SDK either, which then says so.
        with suppress(OSError):
            while select.select(watched, [], [], patience)[0] == [self._source]:
                piece = os.read(self._source, _LONGEST)
                self._read += piece
                if not piece or not self._answer_lines() or len(self._read) > _LONGEST:
                    return False
            return True
        return False

    def _answer_lines(self) -> bool:
        """Answer every whole line that was read; false at the first that is not for this."""
        while (end := self._read.find(b"\n", self._seen)) >= 0:
            line = bytes(self._read[self._seen : end])
            self._seen = end + 1
            if not self._answer(line):
                return False
        return True

    def _answer(self, line: bytes) -> bool:
        asked = question(line, self._asked)
        if asked is None or asked.number in self._answered:
            return False
        self._asked = asked
        return asked.number is None or (self._record is not None and self._tell(self._record, asked, asked.number))

    def _tell(self, record: Record, asked: Question, number: str | int) -> bool:
        with record.result(asked.method, asked.version) as result:
            if result is None:
                return False
            self._answered.add(number)
            _write(self._sink, b'{"jsonrpc":"2.0","id":%s,"result":' % asked.spelled)
            result.send(self._sink)
            _write(self._sink, b"}\n")
            return True


def _write(sink: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(sink, left) :]
        except BlockingIOError:  # whoever started this shares a pipe that does not wait
            select.select([], [sink], [])
