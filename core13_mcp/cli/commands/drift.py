"""`core13-mcp drift`: compare the declarations with the OpenAPI document of the API."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ...declarations.catalog import load
from ...openapi.compare import Finding, compare
from ...openapi.report import count_by_rank, open_findings, to_json
from ...settings import Settings
from ...text import to_line
from ..document import read_document
from ..terminal import print_json, print_line, style

_STYLES = {"breaks": "red", "misleads": "yellow", "new": "green"}


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the differences. Return 1 if one of them breaks calls."""
    catalog = load(settings.tools_dir)
    document = await read_document(arguments.spec, settings)
    findings = compare(catalog, document)
    if arguments.json:
        print_json(to_json(findings, document.source, len(catalog)))
    else:
        _print(findings, f"{len(catalog)} tools compared with {document.source}")
    return 1 if count_by_rank(findings)["breaks"] else 0


def _print(findings: Sequence[Finding], title: str) -> None:
    print_line(title)
    unaccepted = open_findings(findings)
    for finding in unaccepted:
        rank, difference = finding.difference.rank, finding.difference
        print(f"{style(rank.ljust(8), _STYLES[rank])}  {to_line(f'{finding.tool}: {difference.key}')}")
        print_line(f"          {difference.message}")
    counts = [f"{count} {rank}" for rank, count in count_by_rank(findings).items()]
    print_line(f"{', '.join(counts)}, {len(findings) - len(unaccepted)} accepted")
