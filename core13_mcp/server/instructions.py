"""What every client is told about this server when it connects."""

from __future__ import annotations

from ..declarations.catalog import Catalog
from ..declarations.files import read_server_file
from ..settings import Settings

LONGEST = 2000
"""Characters. Some hosts cut at 2 KB, so the most important comes first."""


def instructions(settings: Settings, offered: Catalog, declared: int) -> str:
    """The modes that are on, and what the declarations say of the tools as a whole.

    Args:
        declared: How many tools there are before any is hidden.
    """
    said: list[str] = read_server_file("instructions.json")
    return "\n".join([*mode_notices(settings, len(offered), declared), *said])[:LONGEST]


def mode_notices(settings: Settings, offered: int, declared: int) -> list[str]:
    """What holds for the whole server, a sentence each."""
    lines = []
    if settings.sandbox:
        lines.append("SANDBOX: an embedded stand-in with made-up data; nothing reaches anyone.")
    if settings.read_only:
        lines.append("Read-only mode: nothing can be changed.")
    if offered < declared:
        lines.append(f"{declared - offered} of {declared} tools are hidden by whoever runs this server.")
    if settings.project_id:
        lines.append(f"Everything is in project {settings.project_id}; there is no project_id argument.")
    return lines
