"""One call, end to end: tidy, check, confirm, bind, send, shape."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from . import outcome
from .bind import Request, bind, complete, instead, locate
from .check import faults, refuse
from .confirm import Policy, Verdict, changed, confirmation, question, required, settle
from .credentials import Credentials
from .declaration import Confirm, Declaration, Project
from .errors import ToolError
from .log import withhold
from .retry import Exchange
from .schema import JSON
from .shape import Result, shape
from .text import at, clean, one_line
from .tidy import tidy
from .upstream import Upstream

Ask = Callable[[str], Awaitable[Verdict]]
"""Asks the person who uses the client; None stands for a client through which nobody can be asked."""

Heard = Callable[[int | None], None]
"""Told a status; None where nothing was answered."""


def unheard(_: int | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf calls are made, and what holds for all of them."""

    upstream: Upstream
    credentials: Credentials
    project_id: int | None = None
    confirm: Policy = "auto"
    timeout: float = 30.0
    budget: int = 40_000
    name: str = ""
    """What this server calls whoever asks, in its logs; empty where only one can ask."""
    lane: str = ""
    """With whom it takes turns at what all callers share; empty where only one can ask."""
    heard: Heard = unheard
    """Told how the API answered this caller, by its last status."""

    @property
    def principal(self) -> str:
        """Tells one caller from another without telling who it is."""
        return hashlib.sha256(f"{self.name}\n{self.credentials.principal}".encode()).hexdigest()


def secrets(tool: Declaration, arguments: JSON, caller: Caller) -> tuple[str, ...]:
    """What must never be shown of a call: the caller's credentials, and the arguments declared secret."""
    given = [value for name, value in arguments.items() if name in tool.secrets and isinstance(value, str)]
    # Also as it looks where it comes back: unseen characters are taken out of every answer.
    return (*caller.credentials.secrets, *given, *map(clean, given))


async def call(
    tool: Declaration, arguments: JSON, caller: Caller, exchange: Exchange, ask: Ask | None = None
) -> Result:
    """Make one call and return its result, which fits the tool's output schema.

    Raises:
        ToolError: The call failed, in words for whoever made it.
    """
    given = tidy(tool.arguments, arguments)
    context, wrong, aside = await _project(tool, given, caller, exchange)
    refuse(tool, faults(tool, given) + wrong, aside)
    given = complete(tool, given)
    await _confirm(tool, given, context, caller, exchange, ask)
    request = bind(tool, given, context)
    answer = await _send(tool, request, given, caller, exchange)
    return _promised(tool, shape(tool, answer, given, caller.budget), request, given, caller.budget)


def plan(tool: Declaration, arguments: JSON, project_id: int | None = None) -> Request:
    """The request that a call with these arguments would send; nothing is sent, and nobody asked.

    Raises:
        InvalidArguments: It would be refused unsent.
    """
    given = tidy(tool.arguments, arguments)
    context = _placed(tool, given, project_id)
    missing = [] if context is not None or tool.project is None else [f"{tool.project.argument}: missing."]
    refuse(tool, faults(tool, given) + missing)
    return bind(tool, complete(tool, given), context or {})


def _placed(tool: Declaration, given: JSON, project_id: int | None) -> dict[str, Any] | None:
    """The project for the path, where the arguments hold none; None where a write has to say which."""
    project = tool.project
    if project is None or project.argument in given:
        return {}
    current = project.current if tool.reads else None
    found = project_id if project_id is not None else current
    return None if found is None else {project.argument: found}


async def _project(
    tool: Declaration, given: JSON, caller: Caller, exchange: Exchange
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


async def _current(project: Project, tool: Declaration, caller: Caller, exchange: Exchange) -> tuple[Any, str]:
    try:
        user = await _get(tool, project.read, caller, exchange)
    except ToolError:
        return None, ""
    return at(user, project.id), one_line(str(at(user, project.name)), 80).replace('"', "'")


async def _confirm(
    tool: Declaration, given: JSON, context: JSON, caller: Caller, exchange: Exchange, ask: Ask | None
) -> None:
    needed = confirmation(tool, given, caller.confirm)
    if needed is None or (ask is None and not required(needed, caller.confirm)):
        return
    if not caller.credentials.reach(tool.endpoint.auth):
        # The API will refuse it and say why; there is nothing to agree to.
        return
    asked = await _question(tool, needed, given, context, caller, exchange)
    settle(tool, asked, await ask(asked) if ask else "unable")
    if needed.read is not None and asked != await _question(tool, needed, given, context, caller, exchange):
        raise changed(tool)


async def _question(
    tool: Declaration, needed: Confirm, given: JSON, context: JSON, caller: Caller, exchange: Exchange
) -> str:
    if needed.read is None:
        return question(needed, given, None)
    placeholders = tuple(name for name in tool.endpoint.placeholders if f"{{{name}}}" in needed.read)
    found = await _get(tool, locate(needed.read, placeholders, {**context, **given}), caller, exchange)
    return question(needed, given, withhold(found, secrets(tool, given, caller)))


async def _get(tool: Declaration, path: str, caller: Caller, exchange: Exchange) -> Any:
    return await _send(tool, Request(method="GET", path=path, auth=tool.endpoint.auth), {}, caller, exchange)


async def _send(tool: Declaration, request: Request, given: JSON, caller: Caller, exchange: Exchange) -> Any:
    try:
        answer = await caller.upstream.send(request, caller.credentials, exchange)
        other = instead(tool.endpoint, request, answer.status)
        if other is not None:
            request, answer = other, await caller.upstream.send(other, caller.credentials, exchange)
    except httpx2.RequestError as error:
        raise outcome.lost(tool, request, error, given, unclear=exchange.unclear) from None
    hidden = secrets(tool, given, caller)
    return outcome.read(tool, request, answer, given, unclear=exchange.unclear, secrets=hidden)


def _promised(tool: Declaration, result: Result, request: Request, given: JSON, budget: int) -> Result:
    """The result, if it is what the output schema promises: clients refuse anything else."""
    if len(result.text) > budget or not tool.promises.accepts(result.value):
        raise outcome.unreadable(tool, request, given, None, "its body is not shaped like this API's")
    return result
