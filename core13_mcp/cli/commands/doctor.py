"""`core13-mcp doctor`: what is wrong with the set-up, and the fix."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from typing import Any

from pydantic import SecretStr

from ...api.credentials import Credentials
from ...compose.engine import api_clients, credential_provider, make_context
from ...declarations.catalog import enabled_tools, load
from ...errors import Core13Error
from ...identity import NAME, VERSION
from ...logs import configure_logging
from ...options import flags
from ...redaction import redact, redact_keys
from ...settings import Settings
from ...setup.doctor import api, clients, variables
from ...setup.doctor.finding import Finding, failed
from ...setup.environment import Machine
from ..terminal import status_line, style

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}


async def run(arguments: argparse.Namespace, _: Settings | None) -> int:
    """Look at everything, print a line for each thing, and return 1 if any is wrong."""
    found = []
    async for finding in examine(flags(arguments)):
        status_line("")
        found.append(_safe(finding))
        if not arguments.json:
            print(line(found[-1]), flush=True)
        status_line("looking ...")
    status_line("")
    wrong = sum(finding.status == "wrong" for finding in found)
    if arguments.json:
        told = {"ok": not wrong, "version": VERSION, "findings": [asdict(finding) for finding in found]}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(style(f"{wrong} wrong" if wrong else "all well", "bold"))
    return 1 if wrong else 0


async def examine(given: dict[str, Any]) -> AsyncIterator[Finding]:
    """Every finding, as soon as it is made.

    Args:
        given: The settings given as flags.
    """
    yield Finding("version", "ok", f"{NAME} {VERSION}, Python {platform.python_version()}, {platform.system()}")
    settings, wrong = variables.read(os.environ, given)
    for finding in wrong:
        yield finding
    configure_logging("error", settings.log_format, ())
    async for finding in _upstream(settings, {finding.check for finding in wrong}):
        yield finding
    machine = Machine.this()
    async for finding in clients.all_clients(machine, settings.timeout):
        yield finding


async def _upstream(settings: Settings, wrong: set[str]) -> AsyncIterator[Finding]:
    """The key, and what the API says to it; `wrong` is what has been found so in the settings."""
    keyed: Credentials | None
    if settings.sandbox:
        keyed = credential_provider(settings)()
        yield Finding("key", "ok", "none needed: this is the embedded sandbox, nothing reaches anyone")
    else:
        keyed, findings = variables.key(settings)
        for finding in () if "key" in wrong else findings:
            yield finding
    try:
        catalog = enabled_tools(settings)
    except Core13Error as error:
        yield failed("tools", error)
        catalog = load()
    if "host" in wrong:
        # The key must not go to a host that was not meant.
        return
    async with api_clients(settings) as reached:
        # Without a key the API still says that it is there.
        asks = make_context(settings, reached[0], keyed or Credentials(SecretStr(clients.STAND_IN)))
        async for finding in api.examine(asks, load(), catalog, keyed=keyed is not None):
            yield finding


def line(finding: Finding) -> str:
    """A finding as one line, the fix beside it."""
    fix = style(f"  -> {finding.fix}", "bold") if finding.fix else ""
    return f"{style(f'{finding.status:5}', _STYLES[finding.status])}  {finding.check:33}  {finding.says}{fix}"


def _safe(finding: Finding) -> Finding:
    secrets = [
        os.environ.get(name, "") for name in ("POSTHOG_PERSONAL_API_KEY", "POSTHOG_SESSION_ID", "POSTHOG_CSRF_TOKEN")
    ]
    hidden = [secret for secret in secrets if secret]
    return replace(
        finding, says=redact_keys(redact(finding.says, hidden)), fix=redact_keys(redact(finding.fix, hidden))
    )
