"""The sandbox as an ASGI application: its routes and its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .context import Options
from .dispatch import (
    KEY_OR_SESSION,
    NO_SCOPE,
    PUBLIC,
    SESSION_FIRST,
    SESSION_ONLY,
    Operation,
    Resource,
    Services,
)
from .eras import ERAS
from .oauth import ROUTES as OAUTH_ROUTES
from .operations import personal_keys, sharing, subscriptions, users
from .responses import api_error, json_response
from .seed import seed
from .store import Store
from .throttle import Throttle, delivery_limits, no_limits, user_limits

SHARING_READ, SHARING_WRITE = "sharing_configuration:read", "sharing_configuration:write"
READ, WRITE = "subscription:read", "subscription:write"
USER_READ, USER_WRITE = "user:read", "user:write"
RECORDING: Final = "session_recordings/{recording_id}/sharing"

PROJECT_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    RECORDING: {
        "GET": Operation(sharing.retrieve, SHARING_READ),
        "PATCH": Operation(sharing.update, SHARING_WRITE),
    },
    f"{RECORDING}/refresh": {"POST": Operation(sharing.refresh, SHARING_WRITE)},
    f"{RECORDING}/passwords": {"POST": Operation(sharing.create_password, SHARING_WRITE)},
    f"{RECORDING}/passwords/{{password_id}}": {"DELETE": Operation(sharing.destroy_password, SHARING_WRITE)},
    "subscriptions": {
        "GET": Operation(subscriptions.list_all, READ, premium=True),
        "POST": Operation(subscriptions.create, WRITE, premium=True),
    },
    "subscriptions/summary_quota": {"GET": Operation(subscriptions.quota, READ, premium=True)},
    "subscriptions/{id}": {
        "GET": Operation(subscriptions.retrieve, READ, premium=True),
        "PATCH": Operation(subscriptions.update, WRITE, premium=True),
        "DELETE": Operation(subscriptions.destroy, WRITE, premium=True),
    },
    "subscriptions/{id}/test-delivery": {
        "POST": Operation(subscriptions.test_delivery, WRITE, delivery_limits, premium=True),
    },
}
USER_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    "": {"GET": Operation(users.list_all, USER_READ, user_limits)},
    "/{uuid}": {
        "GET": Operation(users.retrieve, USER_READ, user_limits),
        "PATCH": Operation(users.update, USER_WRITE, user_limits),
        "DELETE": Operation(users.destroy, NO_SCOPE, user_limits, credentials=SESSION_ONLY),
    },
    "/{uuid}/credentials_review_complete": {
        "POST": Operation(users.review_credentials, NO_SCOPE, user_limits, credentials=SESSION_ONLY),
    },
    "/{uuid}/github_login": {"GET": Operation(users.github_login, USER_READ, user_limits)},
    "/{uuid}/hedgehog_config": {
        "GET": Operation(users.hedgehog, USER_READ, no_limits, credentials=SESSION_FIRST),
        "PATCH": Operation(users.replace_hedgehog, USER_WRITE, no_limits, credentials=SESSION_FIRST),
    },
}
# No tool calls this operation.
KEY_ROUTE: Final = {"GET": Operation(personal_keys.retrieve, NO_SCOPE, credentials=KEY_OR_SESSION)}
PUBLIC_ROUTES: Final[dict[str, dict[str, Operation]]] = {
    "/shared/{access_token}": dict.fromkeys(("GET", "POST"), Operation(sharing.shared_page, PUBLIC)),
    "/_sandbox/outbox": {"GET": Operation(lambda context: json_response(200, context.store.messages()), PUBLIC)},
}


def build(
    database: str = ":memory:",
    *,
    era: str = "page",
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    faults: bool = False,
    oauth: bool = False,
    **options: Any,
) -> Starlette:
    """Build the sandbox as an ASGI application, with initial content if the database is new.

    `app.state.outbox()` returns the messages that would have been sent, `app.state.rows(table)` the number of rows in
    a table, and `app.state.close()` closes the database.

    Args:
        database: A file, which several processes may share, or `:memory:`.
        era: The version of the API: `page` for that of the API page, `today` for the newest known one.
        clock: Returns the current time in UTC.
        faults: Whether requests, and the list of strings `app.state.faults`, can inject faults.
        oauth: Whether to add PostHog's authorization server, with a consent page.
        **options: The other fields of `Options`.

    Raises:
        OSError: The database cannot be opened.
        ValueError: The database is not one of the sandbox.
    """
    store, options_of_instance = Store(database), Options(era=ERAS[era], **options)
    with store.transaction():
        if store.create():
            seed(store, clock(), ERAS[era])
    services = Services(store, clock, options_of_instance, Throttle())
    routes = [Route(path, Resource(services, operations)) for path, operations in _paths(oauth)]
    app = Starlette(routes=routes, exception_handlers={404: _not_found})
    app.router.redirect_slashes = False
    app.state.outbox = store.messages
    app.state.rows = store.count
    app.state.close = store.close
    app.state.faults = []
    if faults:
        middleware = import_module(f"{__package__}.testing.faults").FaultMiddleware
        app.add_middleware(middleware, schedule=app.state.faults, clock=clock)
    return app


def _paths(oauth: bool) -> Iterator[tuple[str, dict[str, Operation]]]:
    """Every path of the API and of the authorization server, with and without its last slash, and the public paths."""
    for end in ("/", ""):
        if oauth:
            yield from ((path + end, operations) for path, operations in OAUTH_ROUTES.items())
        yield f"/api/personal_api_keys/{{id}}{end}", KEY_ROUTE
        for path, operations in USER_ROUTES.items():
            yield f"/api/users{path}{end}", operations
        for path, operations in PROJECT_ROUTES.items():
            yield f"/api/projects/{{project_id}}/{path}{end}", operations
            # The old name of `projects`.
            yield f"/api/environments/{{project_id}}/{path}{end}", operations
    yield from PUBLIC_ROUTES.items()


async def _not_found(request: Request, exc: Exception) -> Response:
    return api_error(404, "Endpoint not found.").response
