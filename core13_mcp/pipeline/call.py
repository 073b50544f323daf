"""The values of one call: who calls, which tool, with which arguments. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ..api.client import APIClient
from ..api.credentials import Credentials
from ..api.exchange import APIRequest
from ..declarations.endpoint import Project
from ..declarations.files import CONFIRMATION
from ..declarations.model import Declaration
from ..jsonio import JSON
from ..text import strip_invisible
from .bind import bind
from .clearing import ignored_nulls
from .confirm import Policy
from .key_info import KeyInfoCache
from .normalize import normalize
from .validate import argument_errors, invalid_arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """Who calls, and the settings for all of their calls.

    Attributes:
        project_id: The project of a call that does not name one.
        confirm_timeout: Seconds for the answer to a question.
        timeout: Seconds for the requests of one call, including retries.
        name: The caller's name in the logs; empty over stdio, which has only one caller.
        key_info: Explains refusals by what the key may do. Without it, they are not explained.
    """

    client: APIClient
    credentials: Credentials
    project_id: int | None = None
    confirm: Policy = "auto"
    confirm_timeout: float = 300.0
    timeout: float = 30.0
    retry: bool = True
    max_result_chars: int = 40_000
    name: str = ""
    key_info: KeyInfoCache | None = None

    @property
    def principal(self) -> str:
        """A hash that identifies the caller."""
        return hashlib.sha256(f"{self.name}\n{self.credentials.principal}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, with everything that can be computed before a request is sent.

    Attributes:
        arguments: The normalized arguments with defaults, without `confirmation`. They may be invalid.
        project: The project that the call is about, if any.
        missing_project: The project parameter of the tool, if the call must name a project and does not.
        secrets: Strings that must never appear in a result, a question or the log.
        note: A sentence about arguments that were ignored, or an empty string.
        confirmation: The code with which the person confirmed the call, or an empty string.
    """

    tool: Declaration
    arguments: JSON
    context: CallContext
    project: int | str | None
    missing_project: Project | None
    secrets: tuple[str, ...]
    note: str = ""
    confirmation: str = ""

    def with_credentials(self, credentials: Credentials) -> Call:
        """Return the call with renewed credentials. It keeps the old secrets."""
        if credentials is self.context.credentials:
            return self
        secrets = tuple(dict.fromkeys((*self.secrets, *credentials.secrets)))
        return replace(self, context=replace(self.context, credentials=credentials), secrets=secrets)


def prepare(tool: Declaration, arguments: JSON, context: CallContext) -> Call:
    """Return the call that a client makes with these arguments.

    Raises:
        ConfigurationError: There are no credentials for this tool.
    """
    context.credentials.require(tool.endpoint.auth)
    normalized, confirmation = _split(tool, normalize(tool, arguments))
    project, missing_project = _resolve_project(tool, normalized, context.project_id)
    secrets = [value for name, value in arguments.items() if name in tool.secrets and isinstance(value, str)]
    # Invisible characters are removed from every response, so a response contains the second form.
    hidden = (*context.credentials.secrets, *secrets, *map(strip_invisible, secrets))
    note = ignored_nulls(tool, arguments)
    return Call(tool, normalized, context, project, missing_project, hidden, note, confirmation)


def _split(tool: Declaration, arguments: JSON) -> tuple[JSON, str]:
    """Return the arguments of the API, and the code in the argument `confirmation`."""
    if not tool.accepts_codes:
        return arguments, ""
    rest = {name: value for name, value in arguments.items() if name != CONFIRMATION}
    return rest, str(arguments.get(CONFIRMATION) or "")


def _resolve_project(tool: Declaration, arguments: JSON, pinned: int | None) -> tuple[int | str | None, Project | None]:
    parameter = tool.project
    if parameter is None:
        return None, None
    project = arguments.get(parameter.argument)
    # An argument of another type is invalid and has no place in the log.
    if not isinstance(project, int):
        project = pinned if pinned is not None else (parameter.current if tool.read_only else None)
    is_missing = project is None and parameter.argument not in arguments
    return project, parameter if is_missing else None


def plan(tool: Declaration, arguments: JSON, project_id: int | None = None) -> APIRequest:
    """Return the request that a call would send, without sending it or asking a person.

    Raises:
        InvalidArguments: The call would be refused before a request is sent.
    """
    normalized, _ = _split(tool, normalize(tool, arguments))
    project, missing_project = _resolve_project(tool, normalized, project_id)
    errors = argument_errors(tool, normalized)
    if missing_project:
        errors.append(f"{missing_project.argument}: missing.")
    if errors:
        raise invalid_arguments(tool, errors, ignored_nulls(tool, arguments))
    return bind(tool, normalized, project)
