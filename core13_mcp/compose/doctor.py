"""All checks of `core13-mcp doctor`, in order."""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ..api.credentials import Credentials
from ..api.trust import check_trust_store
from ..declarations.catalog import Catalog, enabled_tools, load
from ..errors import ConfigurationError, Core13Error
from ..identity import NAME, VERSION
from ..keys import SecretStr
from ..logs import configure_logging
from ..settings import Settings
from ..setup.doctor.api import APICheck
from ..setup.doctor.clients import ClientCheck
from ..setup.doctor.finding import Finding, from_error
from ..setup.doctor.passed_on import PLACEHOLDER_KEY
from ..setup.doctor.settings import check_key, check_settings, check_variables
from ..setup.environment import Environment
from ..setup.installed import installations
from .engine import api_clients, credential_provider, make_context


async def diagnose(
    environment: Environment, flags: Mapping[str, Any], *, run_project_commands: bool = False
) -> AsyncIterator[Finding]:
    """Check the settings, the key, the API and the clients; yield each finding at once."""
    yield Finding("version", "ok", f"{NAME} {VERSION}, Python {platform.python_version()}, {platform.system()}")
    settings, invalid = check_settings(environment.variables, flags)
    for finding in invalid:
        yield finding
    for finding in check_variables(environment.variables, flags, settings):
        yield finding
    configure_logging("error", settings.log_format, ())
    builtin = load()
    async for finding in _check_api(settings, builtin, environment, {finding.check for finding in invalid}):
        yield finding
    accounts = _Accounts(settings.timeout, builtin)
    async for finding in ClientCheck(environment, settings, accounts.check, run_project_commands).findings():
        yield finding


class _Accounts:
    """Checks the accounts of the entries of clients, each of them once."""

    def __init__(self, timeout: float, builtin: Catalog) -> None:
        self._timeout = timeout
        self._builtin = builtin
        self._findings: dict[tuple[str, str, int | None], list[Finding]] = {}

    async def check(self, settings: Settings) -> list[Finding]:
        """Return the findings about the host, the key and the project of these settings."""
        try:
            credentials = credential_provider(settings)()
            credentials.require("key")
            account = (settings.host, credentials.principal, settings.project_id)
            if account not in self._findings:
                async with api_clients(settings) as clients:
                    context = make_context(settings._replace(timeout=self._timeout), clients[0], credentials)
                    check = APICheck(context, self._builtin, {}, has_key=True)
                    self._findings[account] = (await check.account()).findings
        except ConfigurationError as error:
            return [from_error("key", error)]
        return self._findings[account]


async def _check_api(
    settings: Settings, builtin: Catalog, environment: Environment, invalid: set[str]
) -> AsyncIterator[Finding]:
    """Check the key and the API. `invalid` are the names of the checks that have failed already."""
    credentials, finding = check_key(settings, has_clients=bool(installations(environment)[0]))
    if settings.sandbox:
        credentials = credential_provider(settings)()
        yield Finding("key", "ok", "no key needed: this is the built-in sandbox")
    elif "key" not in invalid:
        yield finding
    try:
        enabled = enabled_tools(settings, load(settings.tools_dir) if settings.tools_dir else builtin)
    except Core13Error as error:
        yield from_error("tools", error)
        enabled = builtin
    else:
        yield Finding(
            "tools", "ok", f"{len(enabled)} enabled; `core13-mcp drift` compares them with the API's document"
        )
    if "host" in invalid:
        # Without a valid host the key would go to the default host.
        return
    try:
        check_trust_store([] if settings.sandbox else [settings.host], environment.variables)
    except ConfigurationError as error:
        yield from_error("tls", error)
        return
    async with api_clients(settings) as clients:
        # Without a key, an error response still shows that the API is there.
        context = make_context(settings, clients[0], credentials or Credentials(SecretStr(PLACEHOLDER_KEY)))
        async for finding in APICheck(context, builtin, enabled, credentials is not None).findings():
            yield finding
