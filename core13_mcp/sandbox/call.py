"""One request, as the endpoints see it: who calls, on which project, with what."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request

from . import errors
from .store import Row, Store

LISTS: Final = ("byweekday", "dashboard_export_insights")


@dataclass(frozen=True)
class Switches:
    """What is not the same on every PostHog, or not confirmed: see the README."""

    throttle: bool = True
    token_guard: bool = True
    mail: bool = True


@dataclass(frozen=True)
class Caller:
    """An authenticated user, and what the credential may do for them."""

    person: Row
    kind: str
    secret: str
    grant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return int(self.person["id"])

    @property
    def staff(self) -> bool:
        return bool(self.person["doc"]["is_staff"])

    @property
    def by_session(self) -> bool:
        return self.kind == "session"


@dataclass
class Call:
    request: Request
    raw: bytes
    store: Store
    now: datetime
    switches: Switches
    path: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = None  # type: ignore[assignment]  # set by the door before any endpoint runs
    project: Row = field(default_factory=dict)
    organization: Row = field(default_factory=dict)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @cached_property
    def body(self) -> Any:
        """What was sent, of any JSON type; forms become objects of texts. Raises Refusal."""
        return read(self.raw, self.request.headers.get("content-type", ""))

    def mentions(self, name: str) -> Any:
        """The value that the body gives a name, None for a body that is no object or cannot be read."""
        return self.body[name] if self.sends(name) else None

    def sends(self, name: str) -> bool:
        """Whether the body is an object with this key, whatever its value."""
        try:
            return isinstance(self.body, dict) and name in self.body
        except errors.Refusal:
            return False

    def has(self, feature: str) -> bool:
        return feature in self.organization["doc"]["features"]


def read(raw: bytes, content_type: str) -> Any:
    kind = content_type.partition(";")[0].strip().lower()
    if not raw:
        return {}
    if kind == "application/json":
        return _json(raw)
    if kind == "application/x-www-form-urlencoded":
        return _form(parse_qs(raw.decode(errors="replace"), keep_blank_values=True))
    if kind == "multipart/form-data":
        return _form(_multipart(raw, content_type))
    raise errors.unsupported(content_type)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as fault:
        raise errors.malformed(f"JSON parse error - {fault}") from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"Out of range float values are not JSON compliant: {constant}")


def _finite(spelled: str) -> float:
    number = float(spelled)
    return number if abs(number) != float("inf") else _refuse(spelled)


def _form(values: Mapping[str, list[str]]) -> dict[str, Any]:
    return {name: found if name in LISTS else found[-1] for name, found in values.items()}


def _multipart(raw: bytes, content_type: str) -> dict[str, list[str]]:
    header = b"Content-Type: " + content_type.encode() + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(header + raw)
    values: dict[str, list[str]] = {}
    for part in message.iter_parts() if isinstance(message, email.message.EmailMessage) else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            values.setdefault(name, []).append(content.decode(errors="replace"))
    return values
