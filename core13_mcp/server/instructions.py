"""The instructions that a client receives when it connects."""

from __future__ import annotations

from ..declarations.files import read_server_file
from ..settings import Settings

# How long clients may cache the lists of tools and prompts, which depend on the settings of the server only.
LIST_TTL_MS = 3_600_000


def instructions(settings: Settings, enabled: int, declared: int) -> str:
    """Return the notices for `enabled` of `declared` tools, and the declared text about all tools.

    Some hosts cut instructions at 2 KB, so the most important lines come first.
    """
    lines: list[str] = read_server_file("instructions.json")
    return "\n".join([*mode_notices(settings, enabled, declared), *lines])


def mode_notices(settings: Settings, enabled: int, declared: int) -> list[str]:
    """Return one sentence for each active mode of the server."""
    notices = {
        "SANDBOX: an embedded fake PostHog with invented data; nothing is sent to anyone.": settings.sandbox,
        "Read-only mode: no tool changes anything.": settings.read_only,
        f"{declared - enabled} of {declared} tools are disabled in the settings of this server.": enabled < declared,
        f"All calls use project {settings.project_id}; there is no project_id argument.": settings.project_id
        is not None,
    }
    return [notice for notice, active in notices.items() if active]
