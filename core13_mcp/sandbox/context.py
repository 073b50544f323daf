"""One request as the operations see it: caller, project, organization and body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from starlette.requests import Request

from .eras import ERAS, Era
from .responses import APIError, api_error
from .store import Row, Store


@dataclass(frozen=True)
class Options:
    """Behaviour that differs between PostHog instances or is not confirmed; see the README."""

    # Apply the API's rate limits.
    throttle: bool = True
    # Reject changes of e-mail address and password by key or token.
    token_guard: bool = True
    # A new e-mail address waits for its verification.
    mail: bool = True
    # Each use of an OAuth refresh token replaces it, as on servers before February 2026.
    refresh_rotation: bool = False
    # Seconds for which an OAuth access token is valid.
    token_seconds: int = 604_800
    # The version of the API.
    era: Era = ERAS["page"]


@dataclass(frozen=True)
class Principal:
    """An authenticated user and the permissions of the credential."""

    user: Row
    kind: str
    secret: str
    # The stored document of the credential: scopes, restrictions and dates.
    grant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> int:
        return int(self.user["id"])

    @property
    def is_staff(self) -> bool:
        return bool(self.user["doc"]["is_staff"])

    @property
    def by_session(self) -> bool:
        """Whether the credential is a login session, not a key or token."""
        return self.kind == "session"


ANONYMOUS: Final = Principal({}, "anonymous", "")


@dataclass(frozen=True)
class RequestContext:
    """A request with everything that an operation needs.

    `principal`, `project` and `organization` are empty until the dispatcher has authenticated the caller and loaded
    the project.
    """

    request: Request
    raw: bytes
    store: Store
    now: datetime
    options: Options
    principal: Principal = ANONYMOUS
    project: Row = field(default_factory=dict)
    organization: Row = field(default_factory=dict)

    @property
    def era(self) -> Era:
        return self.options.era

    @property
    def path(self) -> Mapping[str, str]:
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    @cached_property
    def body(self) -> Any:
        """The JSON body; an empty one is an empty object. Reading it raises `APIError` if it is not JSON."""
        if not self.raw:
            return {}
        content_type = self.request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise api_error(415, f'Unsupported media type "{content_type}" in request.')
        try:
            return json.loads(self.raw.decode(), parse_constant=_reject_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise api_error(400, f"JSON parse error - {error}", code="parse_error") from None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The fields of the body; none if the body is not an object or cannot be read."""
        try:
            return self.body if isinstance(self.body, dict) else {}
        except APIError:
            return {}

    def has_feature(self, feature: str) -> bool:
        """Whether the plan of the organization includes a feature."""
        return feature in self.organization["doc"]["features"]


def _reject_constant(constant: str) -> Any:
    raise ValueError(f"Out of range float values are not JSON compliant: {constant}")


def _finite(text: str) -> float:
    number = float(text)
    return number if abs(number) != float("inf") else _reject_constant(text)
