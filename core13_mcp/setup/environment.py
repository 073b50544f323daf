"""The folders in which programs keep their configuration files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError

_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^}]*))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Platform (as in `sys.platform`), home folder, environment variables and current folder."""

    platform: str
    home: Path
    variables: Mapping[str, str]
    cwd: Path

    @classmethod
    def current(cls) -> Environment:
        """Return the environment of this process.

        Raises:
            ConfigurationError: The current directory was deleted, or there is no home directory.
        """
        try:
            # Python takes an empty HOME for the root directory, and a relative one for a path in the current directory.
            if not Path(os.environ.get("HOME", "/")).is_absolute():
                raise RuntimeError
            return cls(platform=sys.platform, home=Path.home(), variables=os.environ, cwd=Path.cwd())
        except OSError as error:
            message, fix = f"the current directory cannot be used: {error.strerror}", "Change to another directory."
        except RuntimeError:
            message, fix = "the home directory is not known", "Set the variable HOME to its absolute path."
        raise ConfigurationError(message, fix)

    def path(self, template: str) -> Path:
        """Expand a path template of a client.

        `{config}` is the platform's folder for configuration files. `{xdg}` is the same, except on macOS, where it is
        `~/.config`. `{VARIABLE:folder}` is the value of a variable, or else a folder in the home folder.
        """
        return Path(_PLACEHOLDER.sub(self._folder, template))

    def _folder(self, placeholder: re.Match[str]) -> str:
        name, default = placeholder.groups()
        if default is not None:
            return self.variables.get(name) or str(self.home / default)
        config = xdg = Path(self.variables.get("XDG_CONFIG_HOME") or self.home / ".config")
        goose = xdg / "goose"
        if self.platform == "darwin":
            config = self.home / "Library" / "Application Support"
        elif self.platform == "win32":
            config = xdg = Path(self.variables.get("APPDATA") or self.home / "AppData" / "Roaming")
            goose = config / "Block" / "goose" / "config"
        return str({"home": self.home, "cwd": self.cwd, "config": config, "xdg": xdg, "goose": goose}[name])
