"""The declaration of the request that returns what an API key may do: tools/server/key.json."""

from __future__ import annotations

from typing import Self

from .base import Model
from .files import read_server_file
from .paths import APIPath


class KeyRead(Model):
    """Where the API describes the key of a request.

    Attributes:
        read: The path of the request. It needs no scope.
        scopes, projects, organizations: Dotted paths in its response.
    """

    read: APIPath
    scopes: str
    projects: str
    organizations: str

    @classmethod
    def load(cls) -> Self:
        """Read the built-in declaration."""
        return cls.model_validate(read_server_file("key.json"))
