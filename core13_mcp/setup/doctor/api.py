"""Checks of the API: owner, projects and scopes of the key or sign-in. All requests are GET."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, NamedTuple

import httpx2

from ...api.exchange import APIRequest
from ...api.session import APISession
from ...declarations.catalog import Catalog
from ...declarations.model import Declaration
from ...errors import ConfigurationError, InvalidArguments, ToolError, Unreadable
from ...pipeline.call import CallContext, plan, prepare
from ...pipeline.execution import Execution
from ...pipeline.key_info import KeyInfoCache
from ...pipeline.response import SentRequest, parse_response
from ...text import get_path, single_line
from .finding import Finding, from_error, from_network_error, proxy_host
from .key import RightsCheck


class Account(NamedTuple):
    """The findings about an account, and whether other requests with its key can succeed."""

    findings: list[Finding]
    is_usable: bool


class APICheck:
    """The checks of one API and one key, for the enabled tools. Without a key only the host is checked.

    Args:
        declared: All built-in tools, with which the key is tested.
    """

    def __init__(self, context: CallContext, declared: Catalog, enabled: Catalog, has_key: bool) -> None:
        self._context = replace(context, retry=False)
        self._enabled = enabled
        self._has_key = has_key
        self._declared = declared.values()
        self._rights = RightsCheck(context.credentials, context.client.origin)
        # The declaration of the request for the owner of the key, and the tool that sends it.
        self._project = next(tool.project for tool in self._declared if tool.project)
        requests = ((tool, probe_request(tool)) for tool in self._declared)
        self._tool = next(tool for tool, request in requests if request and request.path == self._project.read)

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield a finding for each check, as soon as its result is available."""
        account = await self.account()
        for finding in account.findings:
            yield finding
        if not account.is_usable:
            return
        async for finding in self._check_rights():
            yield finding
        names = [tool.name for tool in self._enabled.values() if tool.endpoint.auth == "session"]
        if names:
            yield await self._session(names)

    async def account(self) -> Account:
        """Check the host, the owner of the key and the project, with one request, and one more for a pinned project."""
        origin = self._context.client.origin
        proxy = proxy_host(origin)
        reachable = Finding("host", "ok", f"{origin} answers" + (f", through the proxy {proxy}" if proxy else ""))
        user = None
        try:
            user = await self._request_owner("key")
        except httpx2.RequestError as error:
            return Account([from_network_error(error, origin)], is_usable=False)
        except Unreadable as error:
            return Account([from_error("host", error)], is_usable=False)
        except ConfigurationError as error:
            # PostHog has ended the sign-in.
            return Account([reachable, from_error("key", error)], is_usable=False)
        except ToolError as error:
            findings = [reachable, self._refused(error)] if self._has_key else [reachable]
            if not self._has_key or error.status == 401:
                return Account(findings, is_usable=False)
        else:
            findings = [reachable, Finding("owner", "ok", _text(user, self._project.owner, 120))]
            findings.append(self._current_project(user))
        if self._context.project_id is not None:
            findings = [*findings[:2], await self._pinned_project(findings[2:])]
        return Account(findings, is_usable=True)

    def _refused(self, error: ToolError) -> Finding:
        finding = from_error("owner", error)
        return self._rights.refused(finding) if error.status == 401 else finding

    async def _request_owner(self, auth: Any) -> Any:
        """Return the user whom the API reports for the key, or for the login session.

        Raises:
            RequestError: The API cannot be reached.
            ConfigurationError: The sign-in has ended.
            ToolError: The API refused the request or returned an invalid response.
        """
        request = APIRequest(method="GET", path=self._project.read, auth=auth)
        context = self._context
        session = APISession(context.client, context.credentials, context.timeout, retry=context.retry)
        response = await session.send(request)
        return parse_response(SentRequest(prepare(self._tool, {}, context), request), response)

    def _current_project(self, user: Any) -> Finding:
        project = self._project
        current = get_path(user, project.id)
        if current is None:
            fix = "create or join a project in PostHog; tools that need no project work without one"
            return Finding("project", "note", f"the owner of the {self._rights.kind} has no current project", fix)
        message = f'current project: {current} ("{_text(user, project.name, 80)}")'
        listed = get_path(user, project.projects or "")
        names = {row["id"]: _text(row, "name", 60) for row in listed if "id" in row} if isinstance(listed, list) else {}
        projects = ", ".join(f"{project_id} ({name})" for project_id, name in names.items())
        message += f"; projects of its organization: {projects}" if names else ""
        return Finding("project", "ok", message)

    async def _pinned_project(self, current: list[Finding]) -> Finding:
        """Check whether the key can access the pinned project, with a read of it. `current` is the current project."""
        pinned, context = self._context.project_id, "".join(f"; {finding.message}" for finding in current)
        probes = [tool for tool in self._declared if tool.project and probe_request(tool)]
        try:
            await self._read(min(probes, key=lambda tool: len(tool.arguments)))
        except ToolError as error:
            code = error.details["code"]
            if error.status == 404 or (error.status == 403 and code != "missing_scope"):
                kind = self._rights.kind
                message = f"the pinned project {pinned} does not exist, or the {kind} cannot access it{context}"
                return Finding("project", "wrong", message, self._rights.project_fix)
            # The plan of the organization can refuse the request. Then the project is there.
            if error.status != 402:
                reason = from_error("project", error).message
                return Finding("project", "skip", f"the pinned project {pinned} was not checked: {reason}{context}")
        return Finding("project", "ok", f"pinned project: {pinned}{context}")

    async def _read(self, tool: Declaration) -> None:
        await Execution(prepare(tool, {}, self._context)).run()

    async def _check_rights(self) -> AsyncIterator[Finding]:
        """Check for each scope whether the tools that need it can be used, and whether the project can be reached."""
        context, tools = self._context, self._enabled.values()
        info = await KeyInfoCache().get(context.client, context.credentials, context.timeout)
        for scope in sorted({tool.endpoint.scope for tool in tools if tool.endpoint.scope}):
            users = [tool for tool in tools if tool.endpoint.scope == scope]
            probes = [tool for tool in users if probe_request(tool)]
            if probes and (info is None or info.has(scope)):
                yield await self._probe(f"scope {scope}", users, min(probes, key=lambda tool: len(tool.arguments)))
            else:
                yield self._rights.scope(info, scope, users)
        if info:
            for finding in self._rights.reach(info, context.project_id):
                yield finding

    async def _probe(self, check: str, tools: list[Declaration], probe: Declaration) -> Finding:
        """Check a scope with a tool that needs it and changes nothing."""
        try:
            await self._read(probe)
        except ToolError as error:
            finding = from_error(check, error)
            if error.status == 403:
                return replace(finding, message=f"{self._rights.cannot_use(tools)}: {finding.message}")
            # The scope is granted; another limit, such as the plan, refused the request.
            is_answered = error.status is not None and error.status < 500 and error.status != 429
            return replace(finding, status="note" if is_answered else "skip")
        return self._rights.granted(check, tools)

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
