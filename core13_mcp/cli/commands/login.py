"""`core13-mcp login`: sign in to PostHog in the browser."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator

from ...declarations.catalog import Catalog, enabled_tools, load
from ...errors import ConfigurationError
from ...origins import REGIONS, login_command
from ...settings import Settings
from ...signin.errors import ServerUnavailable, SignInFailed
from ...signin.flow import Access, with_read_scopes
from ...signin.login import Login, SignInOptions
from ...signin.renewal import open_client
from ...signin.source import open_store
from ...signin.store import Store
from ...signin.stored import StoredSignIn
from ..browser import TerminalPerson
from ..terminal import can_prompt, print_line


async def run(arguments: Namespace, settings: Settings) -> int:
    """Sign in and print the result. Return 1 if nobody is signed in afterwards."""
    store, catalog = open_store(settings), enabled_tools(settings)
    if arguments.status:
        return _print_status(store, catalog)
    options = _options(settings, catalog, arguments.port)
    for line in _introduction(settings):
        print_line(line, sys.stderr)
    person = TerminalPerson(open_browser=not arguments.no_browser)
    async with open_client(store.origin) as client:
        try:
            sign_in = await Login(store, client, person, options).run()
        except (SignInFailed, ServerUnavailable) as error:
            print_line(f"The sign-in failed: {error}", sys.stderr)
            return 1
    for line in _summary(store, sign_in, catalog):
        print_line(line)
    print_line("Next: your agent can use PostHog now. If it has no server yet, run `core13-mcp install CLIENT`.")
    return 0


def _options(settings: Settings, catalog: Catalog, port: int) -> SignInOptions:
    if settings.sandbox:
        raise ConfigurationError("the embedded sandbox needs no sign-in", "Leave --sandbox out.")
    if not can_prompt():
        raise ConfigurationError(
            "a person has to sign in, and this is not a terminal",
            f"Run `{login_command(settings.host)}` in a terminal.",
        )
    scopes = frozenset(tool.endpoint.scope for tool in catalog.values() if tool.endpoint.scope)
    if not scopes:
        raise ConfigurationError("no enabled tool accepts a sign-in", "Enable more tools.")
    project = next(tool.project for tool in load().values() if tool.project)
    return SignInOptions(Access(with_read_scopes(scopes), settings.project_id), project, port)


def _introduction(settings: Settings) -> Iterator[str]:
    yield f"Signing in at {settings.host}."
    for origin in REGIONS.values():
        if settings.host in REGIONS.values() and origin != settings.host:
            yield f"If your account is at {origin}, press Ctrl-C and run `{login_command(origin)}`."
    for option in ("personal_api_key", "personal_api_key_file"):
        if getattr(settings, option):
            yield f"POSTHOG_{option.upper()} is set here. A server that has it uses it in place of the sign-in."


def _print_status(store: Store, catalog: Catalog) -> int:
    sign_in = store.read().sign_in
    if sign_in is None:
        print_line(f"Nobody is signed in at {store.origin}. Run `{login_command(store.origin)}` in a terminal.")
        return 1
    if sign_in.ended:
        who = sign_in.user or "an unknown user"
        print_line(
            f"The sign-in of {who} at {store.origin} has ended ({sign_in.ended}). "
            f"Run `{login_command(store.origin)}` in a terminal."
        )
        return 1
    for line in _summary(store, sign_in, catalog):
        print_line(line)
    return 0


def _summary(store: Store, sign_in: StoredSignIn, catalog: Catalog) -> Iterator[str]:
    """Yield who is signed in, what the sign-in allows, and what the enabled tools lack."""
    granted = sign_in.tokens.granted
    projects = ", ".join(map(str, sorted(granted.projects))) or "all"
    expiry = time.strftime("%Y-%m-%d %H:%M", time.localtime(sign_in.tokens.expires_at))
    yield f"Signed in as {sign_in.user or 'an unknown user'} at {store.origin}."
    yield f"  scopes: {', '.join(sorted(granted.scopes)) or 'none'}"
    yield f"  projects: {projects}"
    if granted.organizations:
        yield f"  organizations: {', '.join(sorted(granted.organizations))}"
    yield f"  access token: valid until {expiry}, renewed automatically"
    yield f"  stored in: {store.path}"
    for tool in catalog.values():
        scope = tool.endpoint.scope
        if scope is None:
            yield f"  not usable: {tool.name} accepts neither a sign-in nor an API key"
        elif not granted.has(scope):
            yield f"  not usable: {tool.name} needs {scope}; sign in again and allow it"
