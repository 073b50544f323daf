"""The model of a declaration: one file in tools/."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from .base import ConditionalMessage, Model
from .confirmation import Confirm
from .derivation import Derivation
from .drift import AcceptedDifference
from .endpoint import Endpoint, Project
from .evidence import Evidence
from .files import CONFIRMATION, CONFIRMATION_SCHEMA, MCP_KEYS
from .paths import require_known_placeholders
from .schema import ObjectSchema, Schema
from .text_check import TextCheck


class Annotations(Model):
    """The four hints of an MCP tool. None of them has a default, so that a declaration states all four."""

    read_only_hint: bool
    destructive_hint: bool
    idempotent_hint: bool
    open_world_hint: bool


class Rule(ConditionalMessage):
    """A constraint on several arguments, and the error if a call does not match it.

    It is not part of the input schema, because model providers reject combinators at the root of a schema.
    """

    when: dict[str, Any] = Field(alias="condition")


class Hidden(Model):
    """A field that a result does not have if the object of the response matches a JSON Schema."""

    field: str
    when: dict[str, Any]

    @cached_property
    def validator(self) -> Schema:
        return Schema(self.when)


class Declaration(Model):
    """A tool: its MCP definition, its endpoint, and how calls are checked, confirmed and explained.

    Attributes:
        name: The name of the tool, and of its file.
        title: The name for people, as a phrase such as `List insights`.
        description: What the tool does, in sentences for the model.
        annotations: The hints for clients. They also decide whether a request is repeated.
        input_schema: The arguments.
        output_schema: The fields of a concise result.
        endpoint: The request.
        project: The argument that selects the project, and how to find the current one.
        rules: Constraints on several arguments.
        confirm: Confirmations. All that apply are one question.
        hints: What to do next, by HTTP status or by status and error code of the API, such as `400 invalid_input`,
            or by status and field, such as `400 field start_date`, or `400 field none` for an error without a field.
        done: Notes on the effect of a write. The first one that applies is used.
        documented: Arguments of the API documentation that the tool does not accept, with the reason.
        secrets: Arguments with values that must not appear in results, questions or logs.
        clear: The argument that lists fields to clear. They are sent as null.
        checks: Forms of texts that a schema cannot explain.
        derive: Computed values for rules and notes, by name.
        notes: Further notes on the result of a write. All that apply are used.
        mask: Fields that contain a URL which is a credential. Only the call that sets one shows it.
        evidence: What a response must have for the result to report success. Without it, every 2xx status does.
        show: Computed values that replace fields of the response. A value that cannot be computed replaces nothing.
        hide: Fields that a result does not have, by the state of the object.
        drift: Accepted differences from the OpenAPI documents of the API.
        review: Open decisions of a person about a draft. The file does not load until the list is empty.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60, examples=["insights-list"])]
    title: str
    description: str
    annotations: Annotations
    input_schema: ObjectSchema
    output_schema: ObjectSchema
    endpoint: Endpoint
    project: Project | None = None
    rules: tuple[Rule, ...] = ()
    confirm: tuple[Confirm, ...] = ()
    hints: dict[str, str] = Field({})
    done: tuple[ConditionalMessage, ...] = ()
    documented: dict[str, str] = Field({})
    secrets: frozenset[str] = frozenset()
    clear: str | None = None
    checks: tuple[TextCheck, ...] = ()
    derive: dict[str, Derivation] = Field({})
    notes: tuple[ConditionalMessage, ...] = ()
    mask: frozenset[str] = frozenset()
    evidence: Evidence | None = None
    show: dict[str, Derivation] = Field({})
    hide: tuple[Hidden, ...] = ()
    drift: tuple[AcceptedDifference, ...] = ()
    review: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_clear(self) -> Self:
        if self.clear is not None and not (self.clearable and set(self.clearable) <= self.arguments.keys()):
            raise ValueError(f"clear: {self.clear} must be a list of names from an enum, all of them arguments")
        return self

    @model_validator(mode="after")
    def _check_placeholders(self) -> Self:
        names = {*self.arguments, *([self.project.argument] if self.project else [])}
        require_known_placeholders("endpoint.path", self.endpoint.path, names)
        for index, confirm in enumerate(self.confirm):
            require_known_placeholders(f"confirm.{index}.read", confirm.read or "", names)
        # The request for the current project has no arguments.
        require_known_placeholders("project.read", self.project.read if self.project else "", ())
        return self

    @property
    def read_only(self) -> bool:
        return self.annotations.read_only_hint

    @property
    def accepts_codes(self) -> bool:
        """Whether a code in the argument `confirmation` can confirm a call."""
        declared = self.arguments.get(CONFIRMATION) == CONFIRMATION_SCHEMA
        return declared and any(confirm.level == "ask" for confirm in self.confirm)

    @property
    def repeatable(self) -> bool:
        """Whether a request may be repeated after an unknown outcome. The hints for clients decide this too."""
        return self.read_only or self.annotations.idempotent_hint

    @cached_property
    def input_validator(self) -> Schema:
        return Schema(self.input_schema)

    @cached_property
    def output_validator(self) -> Schema:
        return Schema(self.output_schema)

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The schema of each argument, by name."""
        return dict(self.input_schema.get("properties", {}))

    @cached_property
    def clearable(self) -> tuple[str, ...]:
        """The fields that the argument `clear` can name."""
        names: Any = self.arguments.get(self.clear or "")
        for key in ("items", "enum"):
            names = names.get(key) if isinstance(names, dict) else None
        return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()

    def to_mcp(self) -> dict[str, Any]:
        """Return the definition that MCP clients receive."""
        content = self.model_dump(by_alias=True)
        return {key: content[key] for key in MCP_KEYS}
