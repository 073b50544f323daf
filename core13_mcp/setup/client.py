"""What there is to know of a client: where it keeps its servers, in which format, and how it takes a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import ConfigurationError
from . import jsonc, toml
from .environment import Machine
from .paths import Step


@dataclass(frozen=True, slots=True)
class Editor:
    """The three things that are done to a file; each raises Unparsable where the file is not of its format."""

    read: Callable[[str], Any]
    put: Callable[[str, Sequence[Step], Any], str]
    drop: Callable[[str, Sequence[Step]], str]


EDITORS: Mapping[str, Editor] = MappingProxyType(
    {
        "json": Editor(
            partial(jsonc.read, comments=False),
            partial(jsonc.put, comments=False),
            partial(jsonc.drop, comments=False),
        ),
        "jsonc": Editor(jsonc.read, jsonc.put, jsonc.drop),
        "toml": Editor(toml.read, toml.put, toml.drop),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client. `files` are path templates by scope, the first of them the default.

    Attributes:
        key: Where the servers are in a file.
        format: `json`, `jsonc` (comments, trailing commas) or `toml`.
        reference: How a variable of the client's own environment is written; None where it cannot be.
        prompts: Whether a secret can be asked by the client and kept in the system's key store.
        url: The name under which an entry has the address of a remote server; None where it can have none.
        typed: Whether an entry says its transport.
        graphical: Whether it is started outside a shell, and so without the PATH of one.
        inherits: Whether it passes all of its own variables on to what it starts.
        after: What a person does next.
    """

    name: str
    title: str
    files: Mapping[str, str]
    key: str = "mcpServers"
    format: str = "jsonc"
    reference: str | None = None
    prompts: bool = False
    url: str | None = "url"
    typed: bool = False
    graphical: bool = True
    inherits: bool = False
    after: str = "restart it"

    @property
    def editor(self) -> Editor:
        """How its files are edited."""
        return EDITORS[self.format]

    def scope(self, asked: str | None) -> str:
        """A scope that it has; its default where none is asked.

        Raises:
            ConfigurationError: It has no such scope.
        """
        if asked is not None and asked not in self.files:
            raise ConfigurationError(f"{self.title} has no scope {asked!r}; it has {', '.join(self.files)}")
        return asked or next(iter(self.files))

    def file(self, machine: Machine, scope: str) -> Path:
        """Where it keeps the servers of a scope."""
        return machine.path(self.files[scope])

    def servers(self, machine: Machine, scope: str) -> tuple[Step, ...]:
        """Where in that file its servers are."""
        return ("projects", str(machine.here), self.key) if scope == "local" else (self.key,)
