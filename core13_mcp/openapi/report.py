"""The report on differences, for programs and for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from .compare import Finding
from .difference import Rank

RANKS: tuple[Rank, ...] = get_args(Rank)


def open_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Return the differences that are not accepted, the most serious ones first."""
    return sorted((finding for finding in findings if not finding.accepted), key=_rank)


def count_by_rank(findings: Sequence[Finding]) -> dict[str, int]:
    """Return the number of differences that are not accepted, by rank."""
    ranks = [finding.difference.rank for finding in open_findings(findings)]
    return {rank: ranks.count(rank) for rank in RANKS}


def to_json(findings: Sequence[Finding], source: str, tools: int) -> dict[str, Any]:
    """Return the report for programs. Accepted differences have the reason."""
    accepted = [
        {**_row(finding), "reason": finding.accepted.reason}
        for finding in sorted(findings, key=_rank)
        if finding.accepted
    ]
    return {
        "document": source,
        "tools": tools,
        **count_by_rank(findings),
        "differences": [_row(finding) for finding in open_findings(findings)],
        "accepted": accepted,
    }


def _rank(finding: Finding) -> int:
    return RANKS.index(finding.difference.rank)


def _row(finding: Finding) -> dict[str, str]:
    difference = finding.difference
    return {
        "rank": difference.rank,
        "tool": finding.tool,
        "difference": difference.key,
        "message": difference.message,
    }
