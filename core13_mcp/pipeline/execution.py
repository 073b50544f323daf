"""Executes a call: validate, confirm, send, project."""

from __future__ import annotations

import copy
import time
from dataclasses import replace
from functools import partial
from typing import Any

import httpx2

from ..api.exchange import APIRequest, ProgressCallback
from ..api.session import APISession
from ..declarations.endpoint import Project
from ..errors import Declined, InvalidArguments, ToolError
from ..redaction import has_secret, redact
from ..text import get_path, quote
from .approval import Channel, require_confirmed
from .bind import bind, expand_path, path_values
from .call import Call
from .key_info import READ_TIMEOUT, describe_rights
from .masking import mask_urls, masked
from .offload import run_large
from .projection import CallResult, project_response
from .question import Confirmation, Question, find_confirmation, render_question
from .response import (
    SentRequest,
    from_transport_error,
    interrupted,
    invalid_response,
    parse_response,
    require_evidence,
)
from .tolerance import Reply
from .validate import argument_errors, invalid_arguments


class Execution:
    """One execution of a call. `channel` says how the person can confirm it."""

    def __init__(self, call: Call, channel: Channel | None = None, on_progress: ProgressCallback | None = None) -> None:
        self._call = call
        self._channel = channel or Channel()
        self._reads = 0
        self._before: Any = None
        self._has_outcome = False
        context = call.context
        self._session = APISession(
            context.client, context.credentials, context.timeout, retry=context.retry, on_progress=on_progress
        )
        self._started = time.monotonic()
        self._response_bytes = 0

    @property
    def facts(self) -> dict[str, Any]:
        """Status, attempts, times and project of the call so far, also after a cancellation.

        The reads before the request of the call do not count, unless one of them failed: a call that this server refused
        has no status.
        """
        session = self._session
        waited = round(session.waited, 2) or None
        sent = {"status": session.status, "attempts": session.attempts - self._reads, "waited_seconds": waited}
        facts = {
            **(sent if self._has_outcome else {}),
            "milliseconds": round((time.monotonic() - self._started) * 1000),
            "project": self._call.project,
        }
        return {name: value for name, value in facts.items() if value is not None}

    async def run(self) -> CallResult:
        """Execute the call and return its result.

        Raises:
            ToolError: The call failed. Neither the error nor the result has a secret of the call.
            ConfigurationError: The server is not allowed to send the request.
        """
        try:
            result = await self._run()
            # The response has no secret, but messages may quote arguments.
            if has_secret(result.text, self._call.secrets):
                return CallResult.of(redact(result.value, self._call.secrets))
            return result
        except ToolError as error:
            self._has_outcome |= not isinstance(error, Declined | InvalidArguments)
            raise self._redacted(error, await self._explain(error)) from None

    def internal_error(self) -> ToolError:
        """Return the error for an unexpected exception of `run`."""
        reason = "internal error of this server; its log has the details"
        return self._redacted(interrupted(self._call, reason, sent=self._session.write_sent))

    def stopped(self) -> ToolError:
        """Return the error for a cancelled `run`."""
        reason = "the call was stopped before its response arrived"
        return self._redacted(interrupted(self._call, reason, sent=self._session.write_sent))

    async def _explain(self, error: ToolError) -> str:
        """Return a line on what the key or sign-in has and lacks, if the API refused the call for a lack of rights."""
        call, context = self._call, self._call.context
        if error.status != 403 or context.key_info is None or call.tool.endpoint.auth != "key":
            return ""
        timeout, code = min(READ_TIMEOUT, self._session.remaining), error.details["code"]
        info = await context.key_info.get(context.client, context.credentials, timeout)
        return describe_rights(context.credentials.kind, info, call.tool, call.project, code) if info else ""

    def _redacted(self, error: ToolError, explanation: str = "") -> ToolError:
        clean = copy.copy(error)
        text = redact("\n".join(filter(None, (str(error), explanation))), self._call.secrets)
        clean.args = (mask_urls(text) if self._call.tool.mask else text,)
        clean.field = redact(error.field, self._call.secrets)
        return clean

    async def _run(self) -> CallResult:
        call = self._call
        await self._require_valid()
        await self._require_confirmed()
        request = bind(call.tool, call.arguments, call.project)
        self._reads, self._has_outcome = self._session.attempts, True
        reply = await self._fetch(request, use_fallback=True)
        await run_large(self._response_bytes, require_evidence, self._sent(request), reply)
        result = await run_large(self._response_bytes, self._project, reply)
        if len(result.text) > call.context.max_result_chars:
            raise invalid_response(self._sent(request), "its body is longer than the results of this server")
        return result

    def _project(self, reply: Reply) -> CallResult:
        call = self._call
        sent = [value for name, value in call.arguments.items() if name in call.tool.mask]
        value = masked(call.tool, reply.value, keep=sent)
        shown = reply._replace(value=value, before=self._before, origin=call.context.client.origin)
        return project_response(call.tool, shown, call.arguments, call.context.max_result_chars, call.note)

    async def _require_valid(self) -> None:
        call, note = self._call, self._call.note
        errors = argument_errors(call.tool, call.arguments)
        if call.missing_project:
            error, project_note = await self._find_project(call.missing_project)
            errors.append(error)
            note = f"{project_note} {note}".strip()
        if errors:
            raise invalid_arguments(call.tool, errors, note)

    async def _find_project(self, project: Project) -> tuple[str, str]:
        """Return the error for a write without a project, and a note that names the current project."""
        error = f"{project.argument}: missing. A write must name its project"
        try:
            user = (await self._fetch(self._read(project.read))).value
        except ToolError:
            user = None
        current = get_path(user, project.id)
        if not isinstance(current, int):
            return f"{error}, and the current project is unknown: ask the person for its id.", ""
        name = quote(str(get_path(user, project.name) or "unknown"), 80)
        note = f"Current project: {current}, {name}."
        return f"{error}: pass {project.argument}={current} for the current project.", note

    async def _require_confirmed(self) -> None:
        call, policy = self._call, self._call.context.confirm
        confirm = None if policy == "never" else find_confirmation(call.tool, call.arguments)
        # The API refuses a request with unsupported credentials and says why, so there is nothing to confirm.
        if confirm is None or not call.context.credentials.supports(call.tool.endpoint.auth):
            return
        await require_confirmed(call, confirm, self._channel, partial(self._question, confirm))

    async def _question(self, confirm: Confirmation) -> Question | None:
        """Return the question about the current effect of the call, or None if there is nothing to confirm."""
        call, answer = self._call, None
        current: Confirmation | None = confirm
        if confirm.read is not None:
            path = expand_path(confirm.read, path_values(call.tool, call.arguments, call.project))
            answer = self._before = (await self._fetch(self._read(path))).value
            current = confirm.applying_to(answer)
        if current is None:
            return None
        size = self._response_bytes + sum(len(value) for value in call.arguments.values() if isinstance(value, str))
        return await run_large(size, render_question, current, call.arguments, answer)

    def _read(self, path: str) -> APIRequest:
        return APIRequest(method="GET", path=path, auth=self._call.tool.endpoint.auth)

    async def _fetch(self, request: APIRequest, *, use_fallback: bool = False) -> Reply:
        """Send a request, or else the fallback of the endpoint, and return the response if its status is 2xx."""
        fallback = self._call.tool.endpoint.fallback if use_fallback else None
        try:
            response = await self._session.send(request)
            if fallback is not None and fallback.status == response.status:
                request = replace(request, method=fallback.method, query={}, body=fallback.body)
                response = await self._session.send(request)
        except httpx2.RequestError as error:
            raise from_transport_error(self._sent(request), error) from None
        finally:
            self._call = self._call.with_credentials(self._session.credentials)
        self._response_bytes = len(response.body)
        value = await run_large(self._response_bytes, parse_response, self._sent(request), response)
        return Reply(response.status, request.method, value)

    def _sent(self, request: APIRequest) -> SentRequest:
        return SentRequest(self._call, request, ambiguous=self._session.ambiguous)
