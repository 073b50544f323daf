"""What the key allows, as the API reports it: scopes, projects and organizations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...api.credentials import KeyInfo
from ...declarations.model import Declaration
from ...origins import REGIONS
from .finding import Finding


def refused_key(finding: Finding, origin: str) -> Finding:
    """Return the finding about a key that an origin refuses, with what to change.

    It may be a key of the other region. It is not tried there: a key is sent to the configured host only.
    """
    others = [region for region, other in REGIONS.items() if other != origin]
    is_region = len(others) < len(REGIONS)
    fix = f"set POSTHOG_HOST={others[0]} if it is a key of that region" if is_region else "correct POSTHOG_HOST"
    return replace(finding, message=f"{origin}: {finding.message}", fix=f"{finding.fix} Replace it, or {fix}")


def scope_finding(info: KeyInfo | None, scope: str, tools: Iterable[Declaration]) -> Finding:
    """Return whether the key has a scope, with the tools that need it. Without `info`, only a write would show it."""
    check = f"scope {scope}"
    if info is None:
        message = f"not checked, because this version of the API does not report it; needed by {listed(tools)}"
        return Finding(check, "skip", message)
    if info.has(scope):
        return Finding(check, "ok", f"granted, so the key can use {listed(tools)}")
    fix = f"add {scope} to the key in PostHog, Settings, Personal API keys, or disable the tools"
    return Finding(check, "wrong", f"missing, so the key cannot use {listed(tools)}", fix)


def reach_findings(info: KeyInfo, pinned: int | None) -> Iterator[Finding]:
    """Yield the restrictions of the key, and whether they exclude the pinned project."""
    projects = ", ".join(map(str, sorted(info.projects)))
    if pinned is not None and not info.reaches(pinned):
        fix = "correct POSTHOG_PROJECT_ID, or give the key access to this project in PostHog"
        yield Finding("reach", "wrong", f"the key reaches only the projects {projects}, not {pinned}", fix)
    elif projects:
        yield Finding("reach", "note", f"the key reaches only the projects {projects}")
    if info.organizations:
        organizations = ", ".join(sorted(info.organizations))
        yield Finding("reach", "note", f"the key reaches only the organizations {organizations}")


def listed(tools: Iterable[Declaration]) -> str:
    """Return the names of tools as text."""
    return ", ".join(tool.name for tool in tools)
