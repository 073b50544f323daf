"""The endpoint of a tool, and the project that its calls are about."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from .base import Model
from .paths import APIPath, placeholders


class Fallback(Model):
    """The request to send to the same path if the API answers the first one with `status`."""

    status: int
    method: Literal["POST", "PATCH"]
    body: dict[str, Any]


class Endpoint(Model):
    """The API endpoint of a tool.

    Attributes:
        path: The path, with placeholders such as `{id}` for arguments.
        auth: Whether the endpoint accepts an API key, or a login session only.
        body_argument: The argument that is the whole request body. The key is `whole`.
        fallback: The request to send if the API does not support this one. The key is `instead`.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: APIPath
    scope: Annotated[str, Field(pattern=r"^[a-z_]+:(read|write)$", examples=["insight:read"])] | None = None
    auth: Literal["key", "session"] = "key"
    body_argument: str | None = Field(None, alias="whole")
    fallback: Fallback | None = Field(None, alias="instead")

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(placeholders(self.path))


class Project(Model):
    """The argument that selects the project, and how to find the caller's current project.

    Attributes:
        current: The value for the current project in a path. It is used for reads only: a write must name its project.
        read: The path of the request that returns the current project.
        id, name, owner, projects: Dotted paths in its response: the id and the name of the project, the owner of the
            credentials, and the list of projects.
    """

    argument: str
    current: str
    read: APIPath
    id: str
    name: str
    owner: str | None = None
    projects: str | None = None
