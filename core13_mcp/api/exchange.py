"""Values that the pipeline and the API client exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from ..jsonio import JSON

ProgressCallback = Callable[[str], Awaitable[None]]
"""Reports the progress of a call in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class APIRequest:
    """A request to the API, without its host and credentials. It has a JSON body or a form-encoded one.

    Attributes:
        auth: The kind of credentials that the endpoint takes: `key`, `session` or `none`.
        repeatable: Whether sending the request twice has the same effect as sending it once.
    """

    method: str
    path: str
    query: JSON = field(default_factory=dict)
    # It may contain a password.
    body: JSON | None = field(default=None, repr=False)
    form: JSON | None = None
    auth: str = "key"
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class APIResponse:
    """A response of the API with its whole, decompressed body."""

    status: int
    headers: httpx2.Headers = field(repr=False)
    body: bytes = field(repr=False)
