"""`core13-mcp doctor`: check the installation, and print a fix for each problem."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from ...compose.doctor import diagnose
from ...identity import VERSION
from ...redaction import redact, redact_keys
from ...settings import OPTIONS, Settings, flag_values
from ...setup.doctor.finding import Finding
from ...setup.environment import Environment
from ...text import to_line
from ..terminal import print_json, status_line, style

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}


async def run(arguments: argparse.Namespace, _: Settings | None) -> int:
    """Print the result of each check. Return 1 if any status is `wrong`."""
    environment = Environment.current()
    secrets = [value for o in OPTIONS if o.secret and (value := environment.variables.get(o.variable))]
    findings = []
    run_project_commands = arguments.run_project_commands
    async for finding in diagnose(environment, flag_values(arguments), run_project_commands=run_project_commands):
        message, fix = (redact_keys(redact(to_line(text), secrets)) for text in (finding.message, finding.fix))
        findings.append(replace(finding, message=message, fix=fix))
        status_line("")
        if not arguments.json:
            print(_line(findings[-1]), flush=True)
        status_line("checking ...")
    status_line("")
    problems = sum(finding.status == "wrong" for finding in findings)
    if arguments.json:
        print_json(_report(findings, ok=not problems))
    else:
        print(style(f"{problems} wrong" if problems else "all well", "bold"))
    return 1 if problems else 0


def _line(finding: Finding) -> str:
    fix = style(f"  -> {finding.fix}", "bold") if finding.fix else ""
    return f"{style(f'{finding.status:5}', _STYLES[finding.status])}  {finding.check:33}  {finding.message}{fix}"


def _report(findings: list[Finding], ok: bool) -> dict[str, Any]:
    rows = [
        {"check": finding.check, "status": finding.status, "says": finding.message, "fix": finding.fix}
        for finding in findings
    ]
    return {"ok": ok, "version": VERSION, "findings": rows}
