"""Where programs keep their configuration on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where files are: the platform (as `sys.platform` says it), the home, the variables, the current folder."""

    platform: str
    home: Path
    environ: Mapping[str, str]
    here: Path

    @classmethod
    def this(cls) -> Machine:
        """The one that this runs on."""
        return cls(platform=sys.platform, home=Path.home(), environ=os.environ, here=Path.cwd())

    def path(self, template: str) -> Path:
        """A path for a template with {home}, {here}, {config} (of programs) or {xdg} (of POSIX ones)."""
        xdg = Path(self.environ.get("XDG_CONFIG_HOME") or self.home / ".config")
        config = {
            "darwin": self.home / "Library" / "Application Support",
            "win32": Path(self.environ.get("APPDATA") or self.home / "AppData" / "Roaming"),
        }.get(self.platform, xdg)
        folders = {"home": self.home, "here": self.here, "xdg": config if self.platform == "win32" else xdg}
        for variable, default in (("CODEX_HOME", ".codex"), ("CLAUDE_CONFIG_DIR", "")):
            folders[variable] = Path(self.environ.get(variable) or self.home / default)
        return Path(template.format(config=config, **folders))
