"""`core13-mcp doctor`: check the installation, and print a fix for each problem."""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from dataclasses import replace
from typing import Any

from ...compose.doctor import diagnose
from ...identity import VERSION
from ...keys import is_placeholder
from ...redaction import redact, redact_keys
from ...settings import OPTIONS, Settings, flag_values
from ...setup.doctor.finding import Finding
from ...setup.environment import Environment
from ...text import to_line
from ..layout import paragraph
from ..terminal import print_json, status_line, style

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red", "skip": "yellow"}

# The exit status if nothing is wrong, but a check could not run.
_INCOMPLETE = 3

# On a terminal of fewer columns, only the status has a column of its own.
_NARROW = 100


async def run(arguments: argparse.Namespace, _: Settings | None) -> int:
    """Print the result of each check. Return 1 if any status is `wrong`, otherwise 3 if any is `skip`."""
    environment = Environment.current()
    values = [value for o in OPTIONS if o.secret and (value := environment.variables.get(o.variable))]
    secrets = [value for value in values if not is_placeholder(value)]
    # COLUMNS, or the width of the terminal.
    width = shutil.get_terminal_size((0, 0)).columns
    findings = []
    run_project_commands = arguments.run_project_commands
    async for finding in diagnose(environment, flag_values(arguments), run_project_commands=run_project_commands):
        message, fix = (redact_keys(redact(to_line(text), secrets)) for text in (finding.message, finding.fix))
        findings.append(replace(finding, message=message, fix=fix))
        status_line("")
        if not arguments.json:
            print("\n".join(_lines(findings[-1], width)), flush=True)
        status_line("checking ...")
    status_line("")
    statuses = Counter(finding.status for finding in findings)
    if arguments.json:
        print_json(_report(findings, ok=not (statuses["wrong"] or statuses["skip"])))
    else:
        print(style(_summary(statuses["wrong"], statuses["skip"]), "bold"))
    return 1 if statuses["wrong"] else _INCOMPLETE if statuses["skip"] else 0


def _summary(wrong: int, skipped: int) -> str:
    if not wrong and not skipped:
        return "all well"
    return f"{wrong or 'nothing'} wrong" + (f", {skipped} not checked" if skipped else "")


def _lines(finding: Finding, width: int) -> list[str]:
    """Return the lines of a finding. A pipe or a file has no width, and gets one line."""
    status, fix = style(f"{finding.status:5}", _STYLES[finding.status]), finding.fix and f"-> {finding.fix}"
    head = f"  {finding.check:33}  "
    if not width:
        return [status + head + finding.message + (style(f"  {fix}", "bold") if fix else "")]
    indent = " " * (5 + (2 if width < _NARROW else len(head)))
    first, *others = paragraph(finding.message, width, indent, first=" " * 5 + head)
    fixes = paragraph(fix, width, f"{indent}   ", first=indent)
    return [status + first[5:], *others, *(style(line, "bold") for line in fixes)]


def _report(findings: list[Finding], ok: bool) -> dict[str, Any]:
    rows = [
        {"check": finding.check, "status": finding.status, "says": finding.message, "fix": finding.fix}
        for finding in findings
    ]
    return {"ok": ok, "version": VERSION, "findings": rows}
