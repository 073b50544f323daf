"""What the key or the sign-in allows, as PostHog reports it: scopes, projects and organizations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...api.credentials import Credentials, KeyInfo
from ...declarations.model import Declaration
from ...origins import REGIONS, login_command
from ...pipeline.key_info import named
from .finding import Finding

# How a person gives more rights to credentials of each kind.
_ALLOW_SCOPE = {
    "key": "add {scope} to the key in PostHog, Settings, Personal API keys",
    "sign-in": "run `{login}` in a terminal and allow {scope}",
}
_ALLOW_PROJECT = {
    "key": "give the key access to this project in PostHog",
    "sign-in": "run `{login}` in a terminal and select this project",
}


class RightsCheck:
    """The findings about the rights of a key or a sign-in at an origin."""

    def __init__(self, credentials: Credentials, origin: str) -> None:
        self.kind = credentials.kind
        self._origin = origin

    @property
    def project_fix(self) -> str:
        """What to do if the pinned project cannot be used."""
        return f"correct POSTHOG_PROJECT_ID, or {self._fill(_ALLOW_PROJECT)}"

    def refused(self, finding: Finding) -> Finding:
        """Return the finding about credentials that the origin does not accept, with what to change.

        A key may be one of the other region. It is not tried there: a key is sent to the configured host only.
        """
        finding = replace(finding, message=f"{self._origin}: {finding.message}")
        if self.kind != "key":
            return finding
        others = [region for region, other in REGIONS.items() if other != self._origin]
        is_region = len(others) < len(REGIONS)
        fix = f"set POSTHOG_HOST={others[0]} if it is a key of that region" if is_region else "correct POSTHOG_HOST"
        return replace(finding, fix=f"{finding.fix} Replace it, or {fix}")

    def scope(self, info: KeyInfo | None, scope: str, tools: Iterable[Declaration]) -> Finding:
        """Return whether a scope is granted, with the tools that need it. Without `info`, only a write would show it."""
        check = f"scope {scope}"
        if info is None:
            message = f"not checked, because this version of the API does not report it; needed by {listed(tools)}"
            return Finding(check, "skip", message)
        if info.has(scope):
            return self.granted(check, tools)
        fix = f"{self._fill(_ALLOW_SCOPE, scope)}, or disable the tools"
        return Finding(check, "wrong", f"missing, so {self.cannot_use(tools)}", fix)

    def granted(self, check: str, tools: Iterable[Declaration]) -> Finding:
        """Return the finding that tools can be used."""
        return Finding(check, "ok", f"granted, so the {self.kind} can use {listed(tools)}")

    def cannot_use(self, tools: Iterable[Declaration]) -> str:
        """Return the statement that tools cannot be used."""
        return f"the {self.kind} cannot use {listed(tools)}"

    def reach(self, info: KeyInfo, pinned: int | None) -> Iterator[Finding]:
        """Yield the restrictions to projects and organizations, and whether they exclude the pinned project."""
        only = f"the {self.kind} reaches only"
        if pinned is not None and not info.reaches(pinned):
            message = f"{only} {named(sorted(info.projects), 'project')}, not {pinned}"
            yield Finding("reach", "wrong", message, self.project_fix)
        elif info.projects:
            yield Finding("reach", "note", f"{only} {named(sorted(info.projects), 'project')}")
        if info.organizations:
            yield Finding("reach", "note", f"{only} {named(sorted(info.organizations), 'organization')}")

    def _fill(self, fixes: dict[str, str], scope: str = "") -> str:
        return fixes[self.kind].format(scope=scope, login=login_command(self._origin))


def listed(tools: Iterable[Declaration]) -> str:
    """Return the names of tools as text."""
    return ", ".join(tool.name for tool in tools)
