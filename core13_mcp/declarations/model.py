"""What a file in tools/ may say."""

from __future__ import annotations

from functools import cached_property
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .files import MCP_KEYS
from .schema import Schema


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Annotations(_Part):
    """The four hints. None has a default: silence is not an answer."""

    read_only_hint: bool
    destructive_hint: bool
    idempotent_hint: bool
    open_world_hint: bool


class Fallback(_Part):
    """What to send, on the same path, when the API answers a status that means it never does this."""

    status: int
    method: Literal["POST", "PATCH"]
    body: dict[str, Any]


class Endpoint(_Part):
    """Where a call goes and what it needs there."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: Annotated[str, Field(pattern=r"^/api/.*/$")]
    scope: Annotated[str, Field(pattern=r"^[a-z_]+:(read|write)$")] | None = None
    auth: Literal["key", "session"] = "key"
    body_argument: str | None = Field(None, alias="whole")
    fallback: Fallback | None = Field(None, alias="instead")

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """The names the path leaves open, in order."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.path) if name)


class Project(_Part):
    """The argument that says which project, and what stands for it where it is not given."""

    argument: str
    current: str
    """Means the caller's current project, in a path. Enough for a read, too vague for a write."""
    read: str
    """Where to look up the current project, for the sentence that asks which one was meant."""
    id: str
    name: str
    owner: str | None = None
    """Where that answer says whom the credentials belong to, for whoever checks a set-up."""
    projects: str | None = None
    """Where it lists the projects that there are."""


class Condition(_Part):
    """A JSON Schema that decides whether a sentence applies; absent, it always does."""

    when: dict[str, Any] = {}

    @cached_property
    def validator(self) -> Schema:
        """The condition, ready to ask."""
        return Schema(self.when)


class Rule(_Part):
    """A condition across fields, beside the input schema because providers reject combinators at its root."""

    message: Annotated[str, Field(alias="say")]
    condition: dict[str, Any]

    @cached_property
    def validator(self) -> Schema:
        """The condition, ready to ask."""
        return Schema(self.condition)


class Confirm(Condition):
    """What to ask the person before the call is sent."""

    level: Literal["ask", "require"]
    read: str | None = None
    """A path to GET first, whose answer the sentence may name."""
    message: Annotated[str, Field(alias="say")]


class Done(Condition):
    """What has happened or will, told with the result of a write."""

    message: Annotated[str, Field(alias="say")]


class Declaration(_Part):
    """One tool: what a client sees of it, and where its calls go."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: str
    description: str
    annotations: Annotations
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    endpoint: Endpoint
    project: Project | None = None
    rules: tuple[Rule, ...] = ()
    confirm: tuple[Confirm, ...] = ()
    hints: dict[str, str] = {}
    done: tuple[Done, ...] = ()
    documented: dict[str, str] = {}
    secrets: frozenset[str] = frozenset()

    @property
    def read_only(self) -> bool:
        """Whether it changes nothing."""
        return self.annotations.read_only_hint

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is the same as doing it once: the hint clients see is the policy we run."""
        return self.read_only or self.annotations.idempotent_hint

    @cached_property
    def input_validator(self) -> Schema:
        """The input schema, ready to ask."""
        return Schema(self.input_schema)

    @cached_property
    def output_validator(self) -> Schema:
        """The output schema, ready to ask."""
        return Schema(self.output_schema)

    @property
    def arguments(self) -> dict[str, Any]:
        """The declared arguments, each with its own schema."""
        declared: dict[str, Any] = self.input_schema.get("properties", {})
        return declared

    def to_mcp(self) -> dict[str, Any]:
        """The part that clients see, spelled as the protocol spells it."""
        said = self.model_dump(by_alias=True)
        return {key: said[key] for key in MCP_KEYS}
