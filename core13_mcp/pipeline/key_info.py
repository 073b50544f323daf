"""What the API key or the sign-in of a caller may do, as PostHog reports it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import anyio
import httpx2

from ..api.client import APIClient
from ..api.credentials import Credentials, KeyInfo
from ..api.exchange import APIRequest, APIResponse
from ..api.session import APISession
from ..declarations.key import KeyRead
from ..declarations.model import Declaration
from ..jsonio import parse_json
from ..text import get_path

# Seconds for which the information about a key is used. A change of the key in PostHog takes effect after that.
LIFETIME = 3600.0

# Seconds that a refused call waits for the information about its key.
READ_TIMEOUT = 1.0

# The keys that the cache remembers: those that were used last.
_MAX_KEYS = 1000

_MAX_LISTED = 12

Value = TypeVar("Value")


class KeyInfoCache:
    """Reads the information about each key at most once an hour, also if the API does not return it."""

    def __init__(self, fields: KeyRead | None = None, clock: Callable[[], float] = anyio.current_time) -> None:
        self._fields = fields or KeyRead.load()
        self._clock = clock
        # By origin and key: the end of the lifetime, and the information if the API returned it.
        self._entries: OrderedDict[tuple[str, str], tuple[float, KeyInfo | None]] = OrderedDict()

    async def get(self, client: APIClient, credentials: Credentials, timeout: float = READ_TIMEOUT) -> KeyInfo | None:
        """Return what the key may do; None if the API does not say so within `timeout` seconds, as old versions."""
        if credentials.sign_in:
            return credentials.sign_in.granted
        entry, now = (client.origin, credentials.principal), self._clock()
        end, info = self._entries.get(entry, (now, None))
        if end <= now:
            # Calls that fail meanwhile do not read it too.
            self._entries[entry] = (now + LIFETIME, None)
            info = await self._read(client, credentials, timeout)
            self._entries[entry] = (now + LIFETIME, info)
        self._entries.move_to_end(entry)
        if len(self._entries) > _MAX_KEYS:
            self._entries.popitem(last=False)
        return info

    async def _read(self, client: APIClient, credentials: Credentials, timeout: float) -> KeyInfo | None:
        session = APISession(client, credentials, timeout, retry=False)
        try:
            return self._parse(await session.send(APIRequest(method="GET", path=self._fields.read)))
        except httpx2.RequestError:
            return None

    def _parse(self, response: APIResponse) -> KeyInfo | None:
        try:
            body = parse_json(response.body) if response.status == 200 else None
        except ValueError:
            return None
        scopes = get_path(body, self._fields.scopes)
        if not isinstance(scopes, list):
            return None
        return KeyInfo(
            frozenset(_of_type(scopes, str)),
            frozenset(_of_type(get_path(body, self._fields.projects), int)),
            frozenset(_of_type(get_path(body, self._fields.organizations), str)),
        )


def describe_rights(kind: str, info: KeyInfo, tool: Declaration, project: int | str | None, code: str) -> str:
    """Return one line on what the key or sign-in (`kind`) of a call with an error code has, and what it lacks.

    The line is empty if the tool needs no scope, or if the API misses a scope that the key had an hour ago.
    """
    scope = tool.endpoint.scope
    if scope is None or (code == "missing_scope" and info.has(scope)):
        return ""
    if not info.has(scope):
        return f"This {kind} has {named(sorted(info.scopes), 'scope')}. It lacks {scope}."
    if tool.project and isinstance(project, int) and not info.reaches(project):
        return f"This {kind} has {scope}, but reaches only {named(sorted(info.projects), 'project')}, not {project}."
    if tool.project and info.organizations:
        return f"This {kind} has {scope}, but reaches only {named(sorted(info.organizations), 'organization')}."
    return f"This {kind} has {scope}, so no scope is missing."


def named(names: Iterable[Any], noun: str) -> str:
    """Return names as text, such as "the projects 1, 2". A long list is cut."""
    shown = [str(name)[:60] for name in names]
    if not shown:
        return f"no {noun}"
    more = f" and {len(shown) - _MAX_LISTED} more" if len(shown) > _MAX_LISTED else ""
    return f"the {noun}{'s' if len(shown) > 1 else ''} {', '.join(shown[:_MAX_LISTED])}{more}"


def _of_type(values: Any, kind: type[Value]) -> list[Value]:
    return [value for value in values if type(value) is kind] if isinstance(values, list) else []
