"""The sessions of clients of the 2025 protocols that can show forms."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from mcp.server.connection import Connection
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp_types import DEFAULT_NEGOTIATED_VERSION, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest
from mcp_types.jsonrpc import JSONRPCError, JSONRPCResponse
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request

from .errors import Rejected
from .limits import LimitOptions
from .questions import OpenQuestions

SESSION_HEADER = "Mcp-Session-Id"

# The key of the stream among the scopes of a session.
STREAM = "stream"


@dataclass(slots=True, eq=False)
class Session:
    """One session of a caller."""

    owner: str
    connection: Connection
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    questions: OpenQuestions = field(default_factory=OpenQuestions)
    last_used: float = field(default_factory=anyio.current_time)
    # The requests that run, as `request ID`, and the stream.
    _scopes: dict[anyio.CancelScope, str] = field(default_factory=dict)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of its responses."""
        return [(SESSION_HEADER.lower().encode(), self.id.encode())]

    @property
    def has_stream(self) -> bool:
        return STREAM in self._scopes.values()

    @property
    def in_use(self) -> bool:
        """Whether a request or a stream is open."""
        return bool(self._scopes)

    @contextmanager
    def running(self, key: str, scope: anyio.CancelScope) -> Iterator[None]:
        """Mark the session as in use for the length of the block. The end of the session cancels `scope`."""
        self._scopes[scope] = key
        try:
            yield
        finally:
            self.last_used = anyio.current_time()
            del self._scopes[scope]

    def receive(self, message: JSONRPCMessage) -> None:
        """Handle a message that needs no response: an answer to a question, or a notification."""
        self.last_used = anyio.current_time()
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self.questions.answer(message)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._cancel(f"request {cancelled_request_id_from_params(message.params)}")

    def close(self) -> None:
        """End the open requests, questions and stream."""
        self.questions.close()
        for scope in self._scopes:
            scope.cancel()

    def _cancel(self, key: str) -> None:
        for scope in [scope for scope, name in self._scopes.items() if name == key]:
            scope.cancel()


class Sessions:
    """The sessions of all callers."""

    def __init__(self, options: LimitOptions) -> None:
        self._options = options
        self._by_id: dict[str, Session] = {}

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

    def open(self, owner: str) -> Session | None:
        """Open a session, or return None if the caller or the server has too many."""
        self._by_id = {key: session for key, session in self._by_id.items() if self._is_live(session)}
        owned = sum(session.owner == owner for session in self._by_id.values())
        if len(self._by_id) >= self._options.max_sessions or owned >= self._options.sessions_per_caller:
            return None
        session = Session(owner, new_connection(DEFAULT_NEGOTIATED_VERSION))
        self._by_id[session.id] = session
        return session

    def end(self, session: Session) -> None:
        """End a session."""
        self._by_id.pop(session.id, None)
        session.close()

    def _is_live(self, session: Session) -> bool:
        return session.in_use or anyio.current_time() - session.last_used < self._options.session_idle


def new_connection(version: str) -> Connection:
    """Return the SDK's state of a client of which only the protocol version is known."""
    return Connection.from_envelope(version, None, None)


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
