"""A client of the sandbox, request bodies, and the seeded objects."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2
from starlette.applications import Starlette

from core13_mcp import sandbox

from ..asgi import ResetTransport

PROJECT: Final = "/api/projects/1/"
SUBSCRIPTIONS: Final = PROJECT + "subscriptions/"
CURRENT: Final = "/api/projects/@current/subscriptions/"
USERS: Final = "/api/users/"
ME: Final = USERS + "@me/"
GUARDED: Final = PROJECT + "session_recordings/0190a1b2-checkout-bug/sharing/"
OPEN: Final = PROJECT + "session_recordings/0190a1b2-onboarding-tour/sharing/"
NEVER_SHARED: Final = PROJECT + "session_recordings/never-shared/sharing/"
PAUSED, WITH_SUMMARY, BOARD, DELETED, SLACK = 2, 3, 4, 5, 6
Response = httpx2.Response


class Clock:
    """A clock that only `advance` moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Client(httpx2.AsyncClient):
    """An HTTP client with one credential and an in-process sandbox."""

    def __init__(self, app: Starlette, key: str | None = None, *, session: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        super().__init__(transport=ResetTransport(app=app), base_url="http://sandbox", headers=headers)
        if session:
            self.cookies.update({"sessionid": session, "posthog_csrftoken": sandbox.CSRF_TOKEN})
            self.headers["X-CSRFToken"] = sandbox.CSRF_TOKEN

    async def create(self, **changes: Any) -> dict[str, Any]:
        """Create a subscription that the sandbox must accept."""
        response = await self.post(SUBSCRIPTIONS, json=weekly(**changes))
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    async def rejection(self, body: Any) -> tuple[int, str, str | None]:
        """The error of a request to create a subscription."""
        return error(await self.post(SUBSCRIPTIONS, json=body))

    async def change(self, key: int, **changes: Any) -> Response:
        return await self.patch(f"{SUBSCRIPTIONS}{key}/", json=changes)


def edited_sandbox(database: str, clock: Clock, era: str, *statements: str) -> Starlette:
    """A sandbox with a file whose initial content SQL statements have changed."""
    app = sandbox.build(database, clock=clock, era=era)
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return app


def weekly(**changes: Any) -> dict[str, Any]:
    """A request body that creates a weekly e-mail; None removes a field."""
    body = {
        "insight": 1,
        "target_type": "email",
        "target_value": "ada@analytical.example",
        "frequency": "weekly",
        "interval": 1,
        "start_date": "2026-01-05T09:00:00Z",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def dashboard(**changes: Any) -> dict[str, Any]:
    return weekly(**{"insight": None, "dashboard": 1, "dashboard_export_insights": [1, 2]} | changes)


def error(response: Response) -> tuple[int, str, str | None]:
    """Status, code and attr of an error response, which must have the common shape."""
    body = response.json()
    assert body.keys() - {"extra"} == {"type", "code", "detail", "attr"}, body
    return response.status_code, body["code"], body["attr"]


def subscription(key: int) -> str:
    return f"{SUBSCRIPTIONS}{key}/"
