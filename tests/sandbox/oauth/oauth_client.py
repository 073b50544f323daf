"""A client of the authorization server, and a user who answers on its consent page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2

VERIFIER: Final = "a-verifier-that-is-long-enough-for-the-rules-0123456789"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REGISTERED: Final = "http://127.0.0.1/callback"
CALLBACK: Final = "http://127.0.0.1:38123/callback"
REGISTRATION: Final[dict[str, Any]] = {
    "client_name": "core13-mcp on laptop",
    "redirect_uris": [REGISTERED],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}


class ConsentForm(HTMLParser):
    """The inputs of a consent page, as a browser would show and submit them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.choices: dict[str, list[str]] = {}
        self.submitted: dict[str, list[str]] = {}
        self.locked: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name, value = values.get("name") or "", values.get("value") or ""
        if tag == "a":
            self.links.append(values["href"] or "")
        if tag == "input":
            self.choices.setdefault(name, []).append(value)
            if "disabled" in values:
                self.locked.append(value)
            elif "checked" in values:
                self.submitted.setdefault(name, []).append(value)


def redirect_query(response: httpx2.Response) -> dict[str, str]:
    """The query of the address that a response redirects to."""
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


class OAuthClient:
    """A registered client."""

    def __init__(self, http: httpx2.AsyncClient, registration: dict[str, Any]) -> None:
        self.http = http
        names = ("client_id", "client_secret")
        self.credentials: dict[str, str] = {name: registration[name] for name in names if name in registration}

    @classmethod
    async def register(cls, http: httpx2.AsyncClient, **changes: Any) -> OAuthClient:
        response = await http.post("/oauth/register/", json=REGISTRATION | changes)
        assert response.status_code == 201, response.text
        return cls(http, response.json())

    async def authorize(self, requested: str, **more: str) -> httpx2.Response:
        query = {"client_id": self.credentials["client_id"], "response_type": "code", "redirect_uri": CALLBACK}
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s"}
        return await self.http.get("/oauth/authorize/", params={**query, **challenge, "scope": requested, **more})

    async def answer(self, page: httpx2.Response, answer: str = "allow", **form: Any) -> httpx2.Response:
        """Submit the consent page with the selection that it shows, changed by `form`."""
        return await self.http.post(page.url, data={**ConsentForm(page.text).submitted, **form, "answer": answer})

    async def code(self, requested: str, **form: Any) -> str:
        return redirect_query(await self.answer(await self.authorize(requested), **form))["code"]

    async def exchange(self, code: str, **changes: str) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
        return await self.http.post("/oauth/token/", data=form | self.credentials | changes)

    async def sign_in(self, requested: str = "user:read", **form: Any) -> dict[str, Any]:
        """Return the tokens of a complete flow."""
        tokens: dict[str, Any] = (await self.exchange(await self.code(requested, **form))).json()
        return tokens

    async def refresh(self, token: str) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.http.post("/oauth/token/", data=form | self.credentials)

    async def revoke(self, token: str) -> httpx2.Response:
        return await self.http.post("/oauth/revoke/", data={"token": token, **self.credentials})

    async def get(self, token: str, path: str = "/api/users/@me/") -> httpx2.Response:
        """Call the API with an access token."""
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    async def status(self, token: str, path: str = "/api/users/@me/") -> int:
        return (await self.get(token, path)).status_code
