"""One call, end to end: tidy, check, confirm, bind, send, shape."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from ..api.client import APIClient
from ..api.credentials import Credentials
from ..api.exchange import APIRequest, CallState
from ..declarations.model import Confirm, Declaration, Project
from ..errors import ToolError
from ..jsonio import JSON
from ..redaction import redact
from ..text import get_path, single_line, strip_invisible
from . import response as outcome
from .bind import bind, expand_path, fallback_request, with_defaults
from .confirm import Decision, Policy, confirmation, question, require_accepted, required, stale_confirmation
from .normalize import normalize
from .projection import CallResult, project_response
from .validate import argument_errors, raise_if_invalid

Confirmer = Callable[[str], Awaitable[Decision]]
"""Asks the person who uses the client; None stands for a client through which nobody can be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """On whose behalf calls are made, and what holds for all of them."""

    upstream: APIClient
    credentials: Credentials
    project_id: int | None = None
    confirm: Policy = "auto"
    timeout: float = 30.0
    max_result_chars: int = 40_000
    name: str = ""
    """What this server calls whoever asks, in its logs; empty where only one can ask."""

    @property
    def principal(self) -> str:
        """Tells one caller from another without telling who it is."""
        return hashlib.sha256(f"{self.name}\n{self.credentials.principal}".encode()).hexdigest()


def call_secrets(tool: Declaration, arguments: JSON, caller: CallContext) -> tuple[str, ...]:
    """What must never be shown of a call: the caller's credentials, and the arguments declared secret."""
    given = [value for name, value in arguments.items() if name in tool.secrets and isinstance(value, str)]
    # Also as it looks where it comes back: unseen characters are taken out of every answer.
    return (*caller.credentials.secrets, *given, *map(strip_invisible, given))


async def execute(
    tool: Declaration, arguments: JSON, caller: CallContext, exchange: CallState, ask: Confirmer | None = None
) -> CallResult:
    """Make one call and return its result, which fits the tool's output schema.

    Raises:
        ToolError: The call failed, in words for whoever made it.
    """
    given = normalize(tool.arguments, arguments)
    context, wrong, aside = await _project(tool, given, caller, exchange)
    raise_if_invalid(tool, argument_errors(tool, given) + wrong, aside)
    given = with_defaults(tool, given)
    await _confirm(tool, given, context, caller, exchange, ask)
    request = bind(tool, given, context)
    answer = await _send(tool, request, given, caller, exchange)
    return _promised(
        tool, project_response(tool, answer, given, caller.max_result_chars), request, given, caller.max_result_chars
    )


def plan(tool: Declaration, arguments: JSON, project_id: int | None = None) -> APIRequest:
    """The request that a call with these arguments would send; nothing is sent, and nobody asked.

    Raises:
        InvalidArguments: It would be refused unsent.
    """
    given = normalize(tool.arguments, arguments)
    context = _placed(tool, given, project_id)
    missing = [] if context is not None or tool.project is None else [f"{tool.project.argument}: missing."]
    raise_if_invalid(tool, argument_errors(tool, given) + missing)
    return bind(tool, with_defaults(tool, given), context or {})


def _placed(tool: Declaration, given: JSON, project_id: int | None) -> dict[str, Any] | None:
    """The project for the path, where the arguments hold none; None where a write has to say which."""
    project = tool.project
    if project is None or project.argument in given:
        return {}
    current = project.current if tool.read_only else None
    found = project_id if project_id is not None else current
    return None if found is None else {project.argument: found}


async def _project(
    tool: Declaration, given: JSON, caller: CallContext, exchange: CallState
) -> tuple[dict[str, Any], list[str], str]:
    """The project for the path; or, where a write does not say which, that fault and the current project's name."""
    project, placed = tool.project, _placed(tool, given, caller.project_id)
    if project is None or placed is not None:
        return placed or {}, [], ""
    found, name = await _current(project, tool, caller, exchange)
    wrong = f"{project.argument}: missing. A write must say which project"
    if not isinstance(found, int):
        return {}, [f"{wrong}, and the current one is unknown: ask the person for its id."], ""
    aside = f' Current project: {found}, "{name}".'
    return {}, [f"{wrong}: pass {project.argument}={found} for the current one."], aside


async def _current(project: Project, tool: Declaration, caller: CallContext, exchange: CallState) -> tuple[Any, str]:
    try:
        user = await _get(tool, project.read, caller, exchange)
    except ToolError:
        return None, ""
    return get_path(user, project.id), single_line(str(get_path(user, project.name)), 80).replace('"', "'")


async def _confirm(
    tool: Declaration, given: JSON, context: JSON, caller: CallContext, exchange: CallState, ask: Confirmer | None
) -> None:
    needed = confirmation(tool, given, caller.confirm)
    if needed is None or (ask is None and not required(needed, caller.confirm)):
        return
    if not caller.credentials.supports(tool.endpoint.auth):
        # The API will refuse it and say why; there is nothing to agree to.
        return
    asked = await _question(tool, needed, given, context, caller, exchange)
    require_accepted(tool, asked, await ask(asked) if ask else "unable")
    if needed.read is not None and asked != await _question(tool, needed, given, context, caller, exchange):
        raise stale_confirmation(tool)


async def _question(
    tool: Declaration, needed: Confirm, given: JSON, context: JSON, caller: CallContext, exchange: CallState
) -> str:
    if needed.read is None:
        return question(needed, given, None)
    placeholders = tuple(name for name in tool.endpoint.placeholders if f"{{{name}}}" in needed.read)
    found = await _get(tool, expand_path(needed.read, placeholders, {**context, **given}), caller, exchange)
    return question(needed, given, redact(found, call_secrets(tool, given, caller)))


async def _get(tool: Declaration, path: str, caller: CallContext, exchange: CallState) -> Any:
    return await _send(tool, APIRequest(method="GET", path=path, auth=tool.endpoint.auth), {}, caller, exchange)


async def _send(tool: Declaration, request: APIRequest, given: JSON, caller: CallContext, exchange: CallState) -> Any:
    try:
        answer = await caller.upstream.send(request, caller.credentials, exchange)
        other = fallback_request(tool.endpoint, request, answer.status)
        if other is not None:
            request, answer = other, await caller.upstream.send(other, caller.credentials, exchange)
    except httpx2.RequestError as error:
        raise outcome.from_transport_error(tool, request, error, given, unclear=exchange.unclear) from None
    hidden = call_secrets(tool, given, caller)
    return outcome.parse_response(tool, request, answer, given, unclear=exchange.unclear, secrets=hidden)


def _promised(tool: Declaration, result: CallResult, request: APIRequest, given: JSON, budget: int) -> CallResult:
    """The result, if it is what the output schema promises: clients refuse anything else."""
    if len(result.text) > budget or not tool.output_validator.is_valid(result.value):
        raise outcome.invalid_response(tool, request, given, None, "its body is not shaped like this API's")
    return result
