"""The sessions of clients of the 2025 protocols that can show forms, and the messages that open and use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import JSONRPCMessage, JSONRPCRequest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message

from .errors import Rejected
from .limits import LimitOptions


@dataclass(slots=True, eq=False)
class Session:
    """One session of a caller; `id` is empty until the response to `initialize` contains it."""

    owner: str
    id: str = ""
    requests: int = 0
    last_used: float = field(default_factory=anyio.current_time)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Mark the session as not idle for the length of the block."""
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1
            self.last_used = anyio.current_time()


class Sessions:
    """Which caller owns which session of the SDK's session manager.

    The manager ends a session that is idle for the time in `options`. This class applies the same rule when it looks
    for sessions, because the manager does not report the end.
    """

    def __init__(self, options: LimitOptions) -> None:
        self._options = options
        self._by_id: dict[str, Session] = {}
        self._opening: set[Session] = set()

    def find(self, session_id: str, owner: str) -> Session:
        """Return a session of a caller.

        Raises:
            Rejected: The session does not exist, has ended or belongs to another caller.
        """
        session = self._by_id.get(session_id)
        if session is None or session.owner != owner or not self._is_live(session):
            message = "This session does not exist or has ended. Send `initialize` again, without Mcp-Session-Id."
            raise Rejected(404, message)
        return session

    @contextmanager
    def opening(self, owner: str) -> Iterator[Session | None]:
        """Count a session for a request that opens one, or return None if the caller or the server has too many."""
        self._by_id = {key: session for key, session in self._by_id.items() if self._is_live(session)}
        sessions = [*self._by_id.values(), *self._opening]
        owned = sum(session.owner == owner for session in sessions)
        if len(sessions) >= self._options.max_sessions or owned >= self._options.sessions_per_caller:
            yield None
            return
        session = Session(owner)
        self._opening.add(session)
        try:
            yield session
        finally:
            self._opening.discard(session)

    def observe(self, session: Session, message: Message) -> None:
        """Read the id or the end of a session from the start of a response of the session manager."""
        if message["type"] != "http.response.start":
            return
        if message["status"] == 404:
            self.end(session)
        elif message["status"] == 200 and not session.id:
            session.id = Headers(raw=message["headers"])[MCP_SESSION_ID_HEADER]
            self._by_id[session.id] = session

    def end(self, session: Session) -> None:
        """Remove a session that has ended."""
        self._by_id.pop(session.id, None)

    def _is_live(self, session: Session) -> bool:
        return session.requests > 0 or anyio.current_time() - session.last_used < self._options.session_idle


def uses_sessions(request: Request) -> bool:
    """Return whether the protocol version of a request has sessions; a request without a version may have one."""
    version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER)
    return version is None or version in HANDSHAKE_PROTOCOL_VERSIONS


def opens_session(message: JSONRPCMessage) -> bool:
    """Return whether a message is an `initialize` request of a client that can show forms."""
    if not isinstance(message, JSONRPCRequest) or message.method != "initialize":
        return False
    match message.params:
        case {"capabilities": {"elicitation": dict(modes)}}:
            # A client that names no mode supports forms.
            return "form" in modes or "url" not in modes
    return False
