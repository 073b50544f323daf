"""The sandbox's routes, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import errors, outbox, seed, sharing, subscriptions, times, users
from .call import Switches
from .door import Action, House, Resource
from .faults import Faults
from .store import Store
from .throttle import Throttle, delivery_limits, no_limits, user_limits

SHARE: Final = "sharing_configuration:write"
READ, WRITE = "subscription:read", "subscription:write"
USER_READ, USER_WRITE = "user:read", "user:write"
PREMIUM: Final = "subscriptions"
RECORDING: Final = "session_recordings/{recording_id}/sharing"

PROJECT_ROUTES: Final[dict[str, dict[str, Action]]] = {
    RECORDING: {
        "GET": Action(sharing.retrieve, "sharing_configuration:read"),
        "PATCH": Action(sharing.update, SHARE),
    },
    f"{RECORDING}/refresh": {"POST": Action(sharing.refresh, SHARE)},
    f"{RECORDING}/passwords": {"POST": Action(sharing.create_password, SHARE)},
    f"{RECORDING}/passwords/{{password_id}}": {"DELETE": Action(sharing.destroy_password, SHARE)},
    "subscriptions": {
        "GET": Action(subscriptions.listing, READ, premium=PREMIUM),
        "POST": Action(subscriptions.create, WRITE, premium=PREMIUM),
    },
    "subscriptions/summary_quota": {"GET": Action(subscriptions.quota, READ, premium=PREMIUM)},
    "subscriptions/{id}": {
        "GET": Action(subscriptions.retrieve, READ, premium=PREMIUM),
        "PATCH": Action(subscriptions.update, WRITE, premium=PREMIUM),
        "DELETE": Action(subscriptions.destroy, WRITE, premium=PREMIUM),
    },
    "subscriptions/{id}/test-delivery": {
        "POST": Action(subscriptions.test_delivery, WRITE, delivery_limits, premium=PREMIUM)
    },
}
USER_ROUTES: Final[dict[str, dict[str, Action]]] = {
    "": {"GET": Action(users.listing, USER_READ, user_limits)},
    "/{uuid}": {
        "GET": Action(users.retrieve, USER_READ, user_limits),
        "PATCH": Action(users.update, USER_WRITE, user_limits),
        "DELETE": Action(users.destroy, limits=user_limits, session_only=True),
    },
    "/{uuid}/credentials_review_complete": {
        "POST": Action(users.review_credentials, limits=user_limits, session_only=True)
    },
    "/{uuid}/github_login": {"GET": Action(users.github_login, USER_READ, user_limits)},
    "/{uuid}/hedgehog_config": {
        "GET": Action(users.hedgehog, USER_READ, no_limits),
        "PATCH": Action(users.replace_hedgehog, USER_WRITE, no_limits),
    },
}


def build(
    database: str = ":memory:",
    *,
    faults: bool = False,
    clock: Callable[[], datetime] = times.now,
    throttle: bool = True,
    token_guard: bool = True,
    mail: bool = True,
    oauth: bool = False,
) -> Starlette:
    """The sandbox as an ASGI app, seeded when the database is new.

    ``database`` is a file that survives restarts and may be open in several processes, or ``:memory:``. ``clock``
    tells the time in UTC. ``throttle`` counts requests as the API does. ``token_guard`` refuses that a key or token
    changes an e-mail address or a password. ``mail`` is whether the instance can send mail at all, so that a new
    address waits for its verification. ``faults`` lets requests and ``app.state.faults``, a list of texts, ask for
    faults. ``oauth`` adds PostHog's authorization server, with a page on which Ada agrees.

    ``app.state.outbox()`` tells what would have been sent, ``app.state.rows(table)`` how many
    rows a table has, ``app.state.close()`` lets the database go.
    Raises ValueError for a database that is not the sandbox's, OSError for one that cannot be opened.
    """
    store = Store(database)
    with store.transaction():
        if store.create():
            seed.sow(store, clock())
    house = House(store, clock, Switches(throttle, token_guard, mail), Throttle())
    logins = import_module(f"{__package__}.authorization").routes(house) if oauth else []
    app = Starlette(routes=[*routes(house), *beside(house), *logins], exception_handlers={404: _unknown})
    app.router.redirect_slashes = False
    app.state.outbox = lambda: outbox.rows(store)
    app.state.faults = []
    if faults:
        app.add_middleware(Faults, schedule=app.state.faults, clock=clock)
    app.state.close = store.close
    app.state.rows = store.count
    return app


def routes(house: House) -> list[Route]:
    """Every path with and without its last slash. ``environments`` is the old name of ``projects``."""
    paths = {
        f"/api/{name}/{{project_id}}/{path}": actions
        for name in ("projects", "environments")
        for path, actions in PROJECT_ROUTES.items()
    } | {f"/api/users{path}": actions for path, actions in USER_ROUTES.items()}
    return [Route(path + end, Resource(house, actions)) for path, actions in paths.items() for end in ("/", "")]


def beside(house: House) -> list[Route]:
    """What needs no credential: the page behind a shared link, and what would have been sent."""
    page = Action(sharing.shared_page, public=True)
    messages = Action(lambda call: errors.answer(200, outbox.rows(call.store)), public=True)
    return [
        Route("/shared/{access_token}", Resource(house, {"GET": page, "POST": page})),
        Route("/_sandbox/outbox", Resource(house, {"GET": messages})),
    ]


async def _unknown(request: Request, exc: Exception) -> Response:
    return errors.not_found("Endpoint not found.").response
