"""What the API says to this key: whose it is, which projects and scopes it reaches. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from itertools import groupby

import httpx2

from ...api.exchange import APIRequest
from ...declarations.catalog import Catalog
from ...declarations.model import Declaration, Project
from ...errors import InvalidArguments, ToolError, Unreadable
from ...pipeline.call import CallContext, plan, prepare
from ...pipeline.execution import execute
from ...pipeline.response import SentRequest, parse_response
from ...text import get_path, single_line
from .finding import Finding, failed
from .network import proxy, unreachable


async def examine(caller: CallContext, declared: Catalog, offered: Catalog, keyed: bool) -> AsyncIterator[Finding]:
    """Ask the API, and say what it answers.

    Args:
        declared: Every tool, for looking up who the caller is.
        offered: The tools that have to work.
        keyed: Whether the caller has a key; without one only the host is looked at.
    """
    tool, project = identity(declared)
    request = APIRequest(method="GET", path=project.read)
    caller = replace(caller, retry=False)
    origin = caller.client.origin
    try:
        answer = await caller.session().send(request)
    except httpx2.RequestError as error:
        yield unreachable(error, origin)
        return
    try:
        user = parse_response(SentRequest(prepare(tool, {}, caller), request), answer)
    except Unreadable as error:
        yield failed("host", error)
        return
    except ToolError as error:
        yield _reached(origin)
        if keyed:
            yield failed("owner", error)
        if not keyed or error.status == 401:
            return
    else:
        yield _reached(origin)
        for finding in _owner(user, project, caller):
            yield finding
    async for finding in _scopes(caller, offered):
        yield finding
    async for finding in _session(caller, offered, project, tool):
        yield finding


def identity(declared: Catalog) -> tuple[Declaration, Project]:
    """How to look up who calls: a declared project's lookup, and the tool that asks the same."""
    asking = next(tool for tool in declared.values() if tool.project)
    project = asking.project
    assert project is not None
    same = (tool for tool in declared.values() if (request := alone(tool)) and request.path == project.read)
    return next(same, asking), project


def alone(tool: Declaration) -> APIRequest | None:
    """The request of a reading tool that needs no arguments; None for any other tool."""
    if not tool.read_only or tool.endpoint.method != "GET":
        return None
    try:
        return plan(tool, {})
    except InvalidArguments:
        return None


def _reached(origin: str) -> Finding:
    through = proxy(origin)
    return Finding("host", "ok", f"{origin} answers" + (f", through the proxy {through}" if through else ""))


def _owner(user: object, project: Project, caller: CallContext) -> list[Finding]:
    current, name = get_path(user, project.id), single_line(str(get_path(user, project.name)), 80)
    found = [Finding("owner", "ok", single_line(str(get_path(user, project.owner)), 120))] if project.owner else []
    held = get_path(user, project.projects) if project.projects else []
    told = [f"{one['id']} ({single_line(str(one.get('name')), 60)})" for one in _rows(held)]
    says = f'current is {current} ("{name}")' + (f"; its organization has {', '.join(told)}" if told else "")
    if current == "unknown":
        fix = "a person creates or joins one in PostHog; tools that need no project work"
        return [*found, Finding("project", "note", "the key's owner has no current project", fix)]
    pinned = caller.project_id
    if pinned is not None and told and pinned not in [one["id"] for one in _rows(held)]:
        fix = "check POSTHOG_PROJECT_ID; the lines about scopes say whether the key reaches it"
        return [*found, Finding("project", "note", f"pinned to {pinned}; {says}", fix)]
    return [*found, Finding("project", "ok", f"pinned to {pinned}; {says}" if pinned else says)]


def _rows(held: object) -> list[Mapping[str, object]]:
    return [one for one in held if isinstance(one, dict) and "id" in one] if isinstance(held, list) else []


async def _scopes(caller: CallContext, offered: Catalog) -> AsyncIterator[Finding]:
    def scope(tool: Declaration) -> str:
        return tool.endpoint.scope or ""

    for needed, group in groupby(sorted(offered.values(), key=scope), scope):
        tools = list(group)
        probes = [tool for tool in tools if alone(tool)]
        if needed:
            yield await _scope(caller, needed, tools, min(probes, key=lambda tool: len(tool.arguments), default=None))


async def _scope(caller: CallContext, needed: str, tools: list[Declaration], probe: Declaration | None) -> Finding:
    check, count = f"scope {needed}", f"{len(tools)} tool{'s' if len(tools) > 1 else ''}"
    if probe is None:
        return Finding(check, "note", f"only a write shows it; {count} need it")
    try:
        (await execute(prepare(probe, {}, caller))).unwrap()
    except ToolError as error:
        told = failed(check, error)
        if error.status == 403:
            return Finding(check, "wrong", f"{count} cannot work: {told.says}", told.fix)
        # It was let in, and stopped by something else: the plan, a limit, a fault of the API.
        return Finding(check, "note", told.says, told.fix)
    return Finding(check, "ok", f"granted; {count} need it")


async def _session(
    caller: CallContext, offered: Catalog, project: Project, tool: Declaration
) -> AsyncIterator[Finding]:
    names = [tool.name for tool in offered.values() if tool.endpoint.auth == "session"]
    if not names:
        return
    if not caller.credentials.supports("session"):
        says = f"{', '.join(names)} accept a login session only, and none is set"
        fix = "set POSTHOG_SESSION_ID and POSTHOG_CSRF_TOKEN, or leave them out with CORE13_EXCLUDE_TOOLS"
        yield Finding("session", "note", says, fix)
        return
    if caller.credentials.csrf_token is None:
        yield Finding("session", "wrong", "there is a session and no CSRF token", "set POSTHOG_CSRF_TOKEN as well")
        return
    request = APIRequest(method="GET", path=project.read, auth="session")
    try:
        answer = await caller.session().send(request)
        parse_response(SentRequest(prepare(tool, {}, caller), request), answer)
    except httpx2.RequestError as error:
        yield unreachable(error, caller.client.origin)
    except ToolError as error:
        fix = "sign in to PostHog again and take the new session and CSRF token from its cookies"
        yield Finding("session", "wrong", failed("session", error).says, fix)
    else:
        yield Finding("session", "ok", f"accepted; {len(names)} tools need it")
