"""`core13-mcp doctor`: what is wrong with the set-up, and the fix."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from importlib.metadata import version
from typing import Any

from pydantic import SecretStr

from ..catalog import load, offered
from ..credentials import Credentials
from ..doctor import api, clients, variables
from ..doctor.finding import Finding, failed
from ..errors import Core13Error
from ..install.machine import Machine
from ..log import set_up, withhold, without_keys
from ..options import flags
from ..settings import Settings
from ..terminal import status, styled
from .wiring import caller, held, upstreams

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}


async def run(arguments: argparse.Namespace, _: Settings | None) -> int:
    """Look at everything, print a line for each thing, and return 1 if any is wrong."""
    found = []
    async for finding in examine(flags(arguments)):
        status("")
        found.append(_safe(finding))
        if not arguments.json:
            print(line(found[-1]), flush=True)
        status("looking ...")
    status("")
    wrong = sum(finding.status == "wrong" for finding in found)
    if arguments.json:
        told = {"ok": not wrong, "version": version("core13-mcp"), "findings": [asdict(finding) for finding in found]}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(styled(f"{wrong} wrong" if wrong else "all well", "bold"))
    return 1 if wrong else 0


async def examine(given: dict[str, Any]) -> AsyncIterator[Finding]:
    """Every finding, as soon as it is made.

    Args:
        given: The settings given as flags.
    """
    yield Finding(
        "version", "ok", f"core13-mcp {version('core13-mcp')}, Python {platform.python_version()}, {platform.system()}"
    )
    settings, wrong = variables.read(os.environ, given)
    for finding in wrong:
        yield finding
    set_up("error", settings.log_format, ())
    async for finding in _upstream(settings, {finding.check for finding in wrong}):
        yield finding
    machine = Machine.this()
    async for finding in clients.all_clients(machine, settings.timeout):
        yield finding


async def _upstream(settings: Settings, wrong: set[str]) -> AsyncIterator[Finding]:
    """The key, and what the API says to it; `wrong` is what has been found so in the settings."""
    keyed: Credentials | None
    if settings.sandbox:
        keyed = held(settings)()
        yield Finding("key", "ok", "none needed: this is the embedded sandbox, nothing reaches anyone")
    else:
        keyed, findings = variables.key(settings)
        for finding in () if "key" in wrong else findings:
            yield finding
    try:
        catalog = offered(settings)
    except Core13Error as error:
        yield failed("tools", error)
        catalog = load()
    if "host" in wrong:
        # The key must not go to a host that was not meant.
        return
    async with upstreams(settings) as reached:
        # Without a key the API still says that it is there.
        asks = caller(settings, reached[0], keyed or Credentials(SecretStr(clients.STAND_IN)))
        async for finding in api.examine(asks, load(), catalog, keyed=keyed is not None):
            yield finding


def line(finding: Finding) -> str:
    """A finding as one line, the fix beside it."""
    fix = styled(f"  -> {finding.fix}", "bold") if finding.fix else ""
    return f"{styled(f'{finding.status:5}', _STYLES[finding.status])}  {finding.check:33}  {finding.says}{fix}"


def _safe(finding: Finding) -> Finding:
    secrets = [
        os.environ.get(name, "") for name in ("POSTHOG_PERSONAL_API_KEY", "POSTHOG_SESSION_ID", "POSTHOG_CSRF_TOKEN")
    ]
    hidden = [secret for secret in secrets if secret]
    return replace(
        finding, says=without_keys(withhold(finding.says, hidden)), fix=without_keys(withhold(finding.fix, hidden))
    )
