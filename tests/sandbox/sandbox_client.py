"""What the sandbox's tests speak with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2
from starlette.applications import Starlette

from core13_mcp import sandbox

from ..asgi import ResetTransport

PROJECT: Final = "/api/projects/1/"
SUBSCRIPTIONS: Final = PROJECT + "subscriptions/"
ME: Final = "/api/users/@me/"
GUARDED: Final = PROJECT + "session_recordings/0190a1b2-checkout-bug/sharing/"
OPEN: Final = PROJECT + "session_recordings/0190a1b2-onboarding-tour/sharing/"
NEVER_SHARED: Final = PROJECT + "session_recordings/never-shared/sharing/"
PAUSED, WITH_SUMMARY, BOARD, DELETED, SLACK = 2, 3, 4, 5, 6
Reply = httpx2.Response


class Clock:
    """Time that only passes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Speaker(httpx2.AsyncClient):
    """Somebody with one credential, speaking to one sandbox in process."""

    def __init__(self, app: Starlette, key: str | None = None, *, session: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        super().__init__(transport=ResetTransport(app=app), base_url="http://sandbox", headers=headers)
        if session:
            self.cookies.update({"sessionid": session, "posthog_csrftoken": sandbox.CSRF_TOKEN})
            self.headers["X-CSRFToken"] = sandbox.CSRF_TOKEN

    async def create(self, **changes: Any) -> dict[str, Any]:
        """A subscription that must be accepted."""
        reply = await self.post(SUBSCRIPTIONS, json=weekly(**changes))
        assert reply.status_code == 201, reply.text
        created: dict[str, Any] = reply.json()
        return created

    async def change(self, key: int, **changes: Any) -> Reply:
        return await self.patch(f"{SUBSCRIPTIONS}{key}/", json=changes)


def weekly(**changes: Any) -> dict[str, Any]:
    """A body that creates a weekly e-mail; a change to None takes the field out."""
    body = {
        "insight": 1,
        "target_type": "email",
        "target_value": "ada@analytical.example",
        "frequency": "weekly",
        "start_date": "2026-01-05T09:00:00Z",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def dashboard(**changes: Any) -> dict[str, Any]:
    return weekly(**{"insight": None, "dashboard": 1, "dashboard_export_insights": [1, 2]} | changes)


def fault(reply: Reply) -> tuple[int, str, str | None]:
    """Status, code and attr of a refusal in the common shape, and nothing else in it."""
    body = reply.json()
    assert body.keys() - {"extra"} == {"type", "code", "detail", "attr"}, body
    return reply.status_code, body["code"], body["attr"]


def subscription(key: int) -> str:
    return f"{SUBSCRIPTIONS}{key}/"
