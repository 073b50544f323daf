"""Checks of the API: owner, projects and scopes of the key. All requests are GET."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import httpx2

from ...api.exchange import APIRequest
from ...declarations.catalog import Catalog
from ...declarations.model import Declaration, Project
from ...errors import InvalidArguments, ToolError, Unreadable
from ...pipeline.call import CallContext, plan, prepare
from ...pipeline.execution import Execution
from ...pipeline.response import SentRequest, parse_response
from ...text import get_path, single_line
from .finding import Finding, from_error, from_network_error, proxy_host


@dataclass(frozen=True, slots=True)
class APICheck:
    """The checks of one API and one key.

    Attributes:
        enabled: The tools that must work.
        tool: The tool that requests the owner of the key.
        project: The declaration of that request and of the project fields in the response.
        has_key: Whether a key is set; without one only the host is checked.
    """

    context: CallContext
    enabled: Catalog
    tool: Declaration
    project: Project
    has_key: bool

    @classmethod
    def of(cls, context: CallContext, declared: Catalog, enabled: Catalog, has_key: bool) -> APICheck:
        """Return the checks for the enabled tools; `declared` are all tools."""
        with_project = next(tool for tool in declared.values() if tool.project)
        project = with_project.project
        assert project is not None
        probes = ((tool, probe_request(tool)) for tool in declared.values())
        tool = next((tool for tool, request in probes if request and request.path == project.read), with_project)
        return cls(replace(context, retry=False), enabled, tool, project, has_key)

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield a finding for each check, as soon as it is known."""
        origin = self.context.client.origin
        try:
            user = await self._request_owner("key")
        except httpx2.RequestError as error:
            yield from_network_error(error, origin)
            return
        except Unreadable as error:
            yield from_error("host", error)
            return
        except ToolError as error:
            yield _reachable(origin)
            if self.has_key:
                yield from_error("owner", error)
            if not self.has_key or error.status == 401:
                return
        else:
            yield _reachable(origin)
            for finding in self._owner(user):
                yield finding
        async for finding in self._scopes():
            yield finding
        names = [tool.name for tool in self.enabled.values() if tool.endpoint.auth == "session"]
        if names:
            yield await self._session(names)

    async def _request_owner(self, auth: Any) -> Any:
        """Return the user whom the API reports for the key, or for the login session.

        Raises:
            RequestError: The API cannot be reached.
            ToolError: The API refused the request or returned an invalid response.
        """
        request = APIRequest(method="GET", path=self.project.read, auth=auth)
        response = await self.context.session().send(request)
        return parse_response(SentRequest(prepare(self.tool, {}, self.context), request), response)

    def _owner(self, user: Any) -> list[Finding]:
        project = self.project
        owner = [single_line(str(get_path(user, project.owner)), 120)] if project.owner else []
        return [*(Finding("owner", "ok", name) for name in owner), self._current_project(user)]

    def _current_project(self, user: Any) -> Finding:
        project, pinned = self.project, self.context.project_id
        current, name = get_path(user, project.id), single_line(str(get_path(user, project.name)), 80)
        if current == "unknown":
            fix = "create or join a project in PostHog; tools that need no project work without one"
            return Finding("project", "note", "the owner of the key has no current project", fix)
        rows = _rows(get_path(user, project.projects)) if project.projects else []
        listed = ", ".join(f"{row['id']} ({single_line(str(row.get('name')), 60)})" for row in rows)
        message = f'current project: {current} ("{name}")'
        message += f"; projects of its organization: {listed}" if rows else ""
        if pinned is None:
            return Finding("project", "ok", message)
        message = f"pinned project: {pinned}; {message}"
        if rows and pinned not in [row["id"] for row in rows]:
            fix = "check POSTHOG_PROJECT_ID; the scope checks below show whether the key can access this project"
            return Finding("project", "note", message, fix)
        return Finding("project", "ok", message)

    async def _scopes(self) -> AsyncIterator[Finding]:
        def scope(tool: Declaration) -> str:
            return tool.endpoint.scope or ""

        for name, group in groupby(sorted(self.enabled.values(), key=scope), scope):
            if name:
                yield await self._scope(name, list(group))

    async def _scope(self, name: str, tools: list[Declaration]) -> Finding:
        """Check a scope with the simplest tool that needs it and changes nothing."""
        check, count = f"scope {name}", f"{len(tools)} tool{'s' if len(tools) > 1 else ''}"
        verb = "needs" if len(tools) == 1 else "need"
        probes = [tool for tool in tools if probe_request(tool)]
        if not probes:
            return Finding(check, "note", f"not checked, because that needs a write; {count} {verb} it")
        probe = min(probes, key=lambda tool: len(tool.arguments))
        try:
            await Execution(prepare(probe, {}, self.context)).run()
        except ToolError as error:
            finding = from_error(check, error)
            if error.status == 403:
                return Finding(check, "wrong", f"{count} cannot work: {finding.message}", finding.fix)
            # The scope is granted; another limit, such as the plan, refused the request.
            return Finding(check, "note", finding.message, finding.fix)
        return Finding(check, "ok", f"granted; {count} {verb} it")

    async def _session(self, names: list[str]) -> Finding:
        """Check the login session, which the tools with these names need."""
        if not self.context.credentials.supports("session"):
            message = f"{', '.join(names)} need a login session, and none is set"
            fix = "set POSTHOG_SESSION_ID and POSTHOG_CSRF_TOKEN, or disable the tools with CORE13_EXCLUDE_TOOLS"
            return Finding("session", "note", message, fix)
        if self.context.credentials.csrf_token is None:
            message = "a login session is set without its CSRF token"
            return Finding("session", "wrong", message, "set POSTHOG_CSRF_TOKEN as well")
        try:
            await self._request_owner("session")
        except httpx2.RequestError as error:
            return from_network_error(error, self.context.client.origin)
        except ToolError as error:
            fix = "sign in to PostHog again, and copy the session and the CSRF token from the cookies"
            return Finding("session", "wrong", from_error("session", error).message, fix)
        return Finding("session", "ok", f"accepted; {len(names)} tools need it")


def probe_request(tool: Declaration) -> APIRequest | None:
    """Return the GET request of a read-only tool that needs no arguments; None for other tools."""
    if not tool.read_only or tool.endpoint.method != "GET":
        return None
    try:
        return plan(tool, {})
    except InvalidArguments:
        return None


def _reachable(origin: str) -> Finding:
    proxy = proxy_host(origin)
    return Finding("host", "ok", f"{origin} answers" + (f", through the proxy {proxy}" if proxy else ""))


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict) and "id" in row] if isinstance(value, list) else []
