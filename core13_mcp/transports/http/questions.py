"""The questions of one session: requests of the server that wait for the answers of the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp import MCPError
from mcp_types import CONNECTION_CLOSED, JSONRPCError, JSONRPCResponse

Answer = JSONRPCResponse | JSONRPCError

# Seconds for which the notification that a question is cancelled waits for the client to read it.
CANCEL_TIMEOUT = 1.0


@dataclass(slots=True)
class _Question:
    answered: anyio.Event = field(default_factory=anyio.Event)
    answer: Answer | None = None


class OpenQuestions:
    """The questions of one session that have no answer yet."""

    def __init__(self) -> None:
        self._last_id = 0
        self._open: dict[str, _Question] = {}

    async def ask(
        self, write: Callable[[Mapping[str, Any]], Awaitable[None]], method: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write a request into the response of a call, and return the result that the client sends.

        Raises:
            MCPError: The client answered with an error, or the session ended.
        """
        self._last_id += 1
        request_id, question = self._last_id, _Question()
        self._open[str(request_id)] = question
        try:
            await write({"id": request_id, "method": method, "params": params})
            await question.answered.wait()
        except anyio.get_cancelled_exc_class():
            cancelled = {"requestId": request_id, "reason": "The server does not wait for an answer any more."}
            with anyio.move_on_after(CANCEL_TIMEOUT, shield=True):
                await write({"method": "notifications/cancelled", "params": cancelled})
            raise
        finally:
            del self._open[str(request_id)]
        if isinstance(question.answer, JSONRPCResponse):
            return question.answer.result
        if isinstance(question.answer, JSONRPCError):
            raise MCPError.from_error_data(question.answer.error)
        raise MCPError(CONNECTION_CLOSED, "The session ended.")

    def answer(self, message: Answer) -> None:
        """Pass on an answer of the client. One to no open question is ignored."""
        if question := self._open.get(str(message.id)):
            question.answer = message
            question.answered.set()

    def close(self) -> None:
        """End all open questions without an answer."""
        for question in self._open.values():
            question.answered.set()
