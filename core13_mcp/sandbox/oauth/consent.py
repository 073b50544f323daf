"""The consent page: choose an account, projects and scopes, then allow or decline."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from starlette.datastructures import URL
from starlette.responses import HTMLResponse

from ..store import Row
from .request import Account, AuthorizationRequest

PAGE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>PostHog sandbox: {title}</title>"
    "<style>body{{font:16px system-ui;max-width:38em;margin:2em auto;padding:0 1em}}li{{list-style:none}}"
    "fieldset{{margin:1em 0}}</style><main><h1>{title}</h1>{content}</main></html>"
)
CHECKBOX: Final = '<li><label><input type="{type}" name="{name}" value="{value}"{state}> {label}</label></li>'


def message_page(message: str) -> HTMLResponse:
    """A page that says why an answer cannot be accepted. The browser's Back button returns to the form."""
    return HTMLResponse(PAGE.format(title="This answer is incomplete", content=f"<p>{html.escape(message)}</p>"), 400)


def consent_page(url: URL, request: AuthorizationRequest, account: Account, preselected: Iterable[str]) -> str:
    """The form in HTML. It needs no script, and it posts to its own address."""
    name = html.escape(str(request.client.get("client_name", "MCP Client")))
    content = (
        f"<p>This application is not verified by PostHog. You are signed in as {_user_name(account.user)}.</p>"
        f"<details><summary>Use another account</summary><ul>{_account_links(url, account)}</ul></details>"
        f'<form method="post">{_access(request, account, preselected)}{_scopes(request)}'
        '<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Decline</button></form>'
    )
    return PAGE.format(title=f"Allow {name}?", content=content)


def _user_name(user: Row) -> str:
    doc = user["doc"]
    return html.escape(f"{doc['first_name']} {doc['last_name']} ({user['email']})")


def _account_links(url: URL, account: Account) -> str:
    links = ((html.escape(str(url.include_query_params(user=user["id"]))), _user_name(user)) for user in account.users)
    return "".join(f'<li><a href="{link}">{name}</a></li>' for link, name in links)


def _access(request: AuthorizationRequest, account: Account, preselected: Iterable[str]) -> str:
    """The choice between everything, organizations and projects, or of the level that the client requires."""
    rows = {"organization": account.organizations, "project": account.projects}
    items = []
    if not request.required_level:
        items.append(_input("radio", "access", "all", "All projects that I can use", "checked"))
    for level, choices in rows.items():
        if request.required_level == level:
            items.append(f"<li>Only these {level}s:</li>")
        elif not request.required_level:
            items.append(_input("radio", "access", level, f"Only these {level}s:"))
        if request.required_level in ("", level):
            boxes = (
                _input("checkbox", level, row["id"], row["doc"]["name"], _state(row, preselected)) for row in choices
            )
            items.append(f"<li><ul>{''.join(boxes)}</ul></li>")
    return f"<fieldset><legend>Access</legend><ul>{''.join(items)}</ul></fieldset>"


def _state(row: Row, preselected: Iterable[str]) -> str:
    return "checked" if str(row["id"]) in preselected else ""


def _scopes(request: AuthorizationRequest) -> str:
    required = request.required_scopes
    boxes = (
        _input("checkbox", "scope", scope, f"{scope} (required)", "checked disabled")
        if scope in required
        else _input("checkbox", "scope", scope, scope, "checked")
        for scope in request.scopes
    )
    return f"<fieldset><legend>Scopes</legend><ul>{''.join(boxes)}</ul></fieldset>"


def _input(kind: str, name: str, value: str, label: str, state: str = "") -> str:
    texts = {"value": html.escape(str(value)), "label": html.escape(str(label))}
    return CHECKBOX.format(type=kind, name=name, state=f" {state}" if state else "", **texts)
