"""Checks of the API: owner, projects and scopes of the key. All requests are GET."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2

from ...api.exchange import APIRequest
from ...api.session import APISession
from ...declarations.catalog import Catalog, load
from ...declarations.model import Declaration
from ...errors import InvalidArguments, ToolError, Unreadable
from ...pipeline.call import CallContext, plan, prepare
from ...pipeline.execution import Execution
from ...pipeline.key_info import KeyInfoCache
from ...pipeline.response import SentRequest, parse_response
from ...text import get_path, single_line
from .finding import Finding, from_error, from_network_error, proxy_host
from .key import listed, reach_findings, scope_finding


class APICheck:
    """The checks of one API and one key, for the enabled tools. Without a key only the host is checked."""

    def __init__(self, context: CallContext, enabled: Catalog, has_key: bool) -> None:
        self._context = replace(context, retry=False)
        self._enabled = enabled
        self._has_key = has_key
        declared = load().values()
        # The declaration of the request for the owner of the key, and the tool that sends it.
        self._project = next(tool.project for tool in declared if tool.project)
        requests = ((tool, probe_request(tool)) for tool in declared)
        self._tool = next(tool for tool, request in requests if request and request.path == self._project.read)

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield a finding for each check, as soon as its result is available."""
        origin = self._context.client.origin
        proxy = proxy_host(origin)
        reachable = Finding("host", "ok", f"{origin} answers" + (f", through the proxy {proxy}" if proxy else ""))
        try:
            user = await self._request_owner("key")
        except httpx2.RequestError as error:
            yield from_network_error(error, origin)
            return
        except Unreadable as error:
            yield from_error("host", error)
            return
        except ToolError as error:
            yield reachable
            if self._has_key:
                yield from_error("owner", error)
            if not self._has_key or error.status == 401:
                return
        else:
            yield reachable
            yield Finding("owner", "ok", _text(user, self._project.owner, 120))
            yield self._current_project(user)
        tools = self._enabled.values()
        async for finding in self._rights():
            yield finding
        names = [tool.name for tool in tools if tool.endpoint.auth == "session"]
        if names:
            yield await self._session(names)

    async def _request_owner(self, auth: Any) -> Any:
        """Return the user whom the API reports for the key, or for the login session.

        Raises:
            RequestError: The API cannot be reached.
            ToolError: The API refused the request or returned an invalid response.
        """
        request = APIRequest(method="GET", path=self._project.read, auth=auth)
        context = self._context
        response = await APISession(context.client, context.credentials, context.timeout, retry=context.retry).send(
            request
        )
        return parse_response(SentRequest(prepare(self._tool, {}, self._context), request), response)

    def _current_project(self, user: Any) -> Finding:
        project, pinned = self._project, self._context.project_id
        current = get_path(user, project.id)
        if current is None:
            fix = "create or join a project in PostHog; tools that need no project work without one"
            return Finding("project", "note", "the owner of the key has no current project", fix)
        message = f'current project: {current} ("{_text(user, project.name, 80)}")'
        listed = get_path(user, project.projects or "")
        names = {row["id"]: _text(row, "name", 60) for row in listed if "id" in row} if isinstance(listed, list) else {}
        projects = ", ".join(f"{project_id} ({name})" for project_id, name in names.items())
        message += f"; projects of its organization: {projects}" if names else ""
        if pinned is not None:
            message = f"pinned project: {pinned}; {message}"
        if pinned is not None and names and pinned not in names:
            fix = "check POSTHOG_PROJECT_ID; the scope checks below show whether the key can access this project"
            return Finding("project", "note", message, fix)
        return Finding("project", "ok", message)

    async def _rights(self) -> AsyncIterator[Finding]:
        """Check for each scope whether the key can use the tools that need it, and whether it reaches the project."""
        context, tools = self._context, self._enabled.values()
        info = await KeyInfoCache().get(context.client, context.credentials, context.timeout)
        for scope in sorted({tool.endpoint.scope for tool in tools if tool.endpoint.scope}):
            users = [tool for tool in tools if tool.endpoint.scope == scope]
            probes = [tool for tool in users if probe_request(tool)]
            if probes and (info is None or info.has(scope)):
                yield await self._probe(f"scope {scope}", users, min(probes, key=lambda tool: len(tool.arguments)))
            else:
                yield scope_finding(info, scope, users)
        if info:
            for finding in reach_findings(info, context.project_id):
                yield finding

    async def _probe(self, check: str, tools: list[Declaration], probe: Declaration) -> Finding:
        """Check a scope with a tool that needs it and changes nothing."""
        try:
            await Execution(prepare(probe, {}, self._context)).run()
        except ToolError as error:
            finding = from_error(check, error)
            if error.status == 403:
                return replace(finding, message=f"the key cannot use {listed(tools)}: {finding.message}")
            # The scope is granted; another limit, such as the plan, refused the request.
            return replace(finding, status="note")
        return Finding(check, "ok", f"granted, so the key can use {listed(tools)}")

    async def _session(self, names: list[str]) -> Finding:
        """Check the login session, which the tools with these names need."""
        credentials = self._context.credentials
        if not credentials.supports("session"):
            message = f"{', '.join(names)} need a login session, and none is set"
            fix = "set POSTHOG_SESSION_ID and POSTHOG_CSRF_TOKEN, or disable the tools with CORE13_EXCLUDE_TOOLS"
            return Finding("session", "note", message, fix)
        if credentials.csrf_token is None:
            message = "a login session is set without its CSRF token"
            return Finding("session", "wrong", message, "set POSTHOG_CSRF_TOKEN as well")
        try:
            await self._request_owner("session")
        except httpx2.RequestError as error:
            return from_network_error(error, self._context.client.origin)
        except ToolError as error:
            fix = "sign in to PostHog again, and copy the session and the CSRF token from the cookies"
            return replace(from_error("session", error), fix=fix)
        return Finding("session", "ok", f"accepted; {len(names)} tools need it")


def probe_request(tool: Declaration) -> APIRequest | None:
    """Return the GET request of a read-only tool that needs no arguments; None for other tools."""
    if not tool.read_only or tool.endpoint.method != "GET":
        return None
    try:
        return plan(tool, {})
    except InvalidArguments:
        return None


def _text(value: Any, path: str | None, max_length: int) -> str:
    return single_line(str(get_path(value, path or "") or "unknown"), max_length)
