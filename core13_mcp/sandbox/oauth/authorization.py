"""The authorization endpoint: ask the user, and return a code to the client."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from starlette.responses import HTMLResponse, Response

from ..context import RequestContext
from ..store import Doc, Row
from . import grants
from .consent import consent_page, message_page
from .messages import form_lists
from .request import Account, AuthorizationRequest, read_account, read_request

CODE_LIFETIME: Final = timedelta(seconds=300)
# The level of access that the form contains, and the property of the grant that restricts it.
LEVELS: Final = {"all": "", "organization": "organizations", "project": "projects"}


def ask(context: RequestContext) -> Response:
    """Show the consent page."""
    request, account = read_request(context), read_account(context)
    preselected = {context.query.get("team_id", "")}
    page = consent_page(context.request.url, request, account, preselected)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def answer(context: RequestContext) -> Response:
    """Redirect to the client with a code, or with an error if the user has declined."""
    request, account, form = read_request(context), read_account(context), form_lists(context)
    if form.get("answer") != ["allow"]:
        return request.redirect(error="access_denied")
    selected = request.required_scopes | set(form.get("scope", []))
    scopes = [scope for scope in request.scopes if scope in selected]
    if not scopes:
        return message_page("Select at least one scope.")
    restriction = _restriction(request, account, form)
    if restriction is None:
        return message_page("Select at least one project or organization.")
    code = secrets.token_urlsafe(24)
    grant: Doc = {"client_id": request.client["client_id"], "redirect_uri": request.redirect_uri}
    grant |= {"code_challenge": request.code_challenge, "scopes": " ".join(scopes), "restriction": restriction}
    row = {"kind": grants.CODE, "secret": code, "person_id": account.user["id"], "doc": grant}
    grants.save(context, row, CODE_LIFETIME)
    return request.redirect(code=code)


def _restriction(request: AuthorizationRequest, account: Account, form: dict[str, list[str]]) -> Doc | None:
    """What restricts the grant; None if the user has to select projects or organizations and has selected none."""
    level = request.required_level or form.get("access", ["all"])[0]
    restricted = LEVELS.get(level, "")
    if not restricted:
        return {}
    rows: list[Row] = getattr(account, restricted)
    selected = [row["id"] for row in rows if str(row["id"]) in form.get(level, [])]
    return {restricted: selected} if selected else None
