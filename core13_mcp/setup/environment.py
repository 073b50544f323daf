"""The folders in which programs keep their configuration files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Platform (as in `sys.platform`), home folder, environment variables and current folder."""

    platform: str
    home: Path
    variables: Mapping[str, str]
    cwd: Path

    @classmethod
    def current(cls) -> Environment:
        """Return the environment of this process."""
        return cls(platform=sys.platform, home=Path.home(), variables=os.environ, cwd=Path.cwd())

    def path(self, template: str) -> Path:
        """Expand a path template.

        It can contain `{home}`, `{cwd}`, `{config}`, `{xdg}` and the environment variables of clients. `{config}` is the platform's folder for configuration files. `{xdg}` is the same, except on macOS, where it
        is `~/.config`.
        """
        xdg = Path(self.variables.get("XDG_CONFIG_HOME") or self.home / ".config")
        config = {
            "darwin": self.home / "Library" / "Application Support",
            "win32": Path(self.variables.get("APPDATA") or self.home / "AppData" / "Roaming"),
        }.get(self.platform, xdg)
        folders = {"home": self.home, "cwd": self.cwd, "xdg": config if self.platform == "win32" else xdg}
        for variable, default in (("CODEX_HOME", ".codex"), ("CLAUDE_CONFIG_DIR", "")):
            folders[variable] = Path(self.variables.get(variable) or self.home / default)
        return Path(template.format(config=config, **folders))
