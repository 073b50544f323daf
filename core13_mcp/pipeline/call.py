"""The values of one call: who calls, which tool, with which arguments. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from ..api.client import APIClient
from ..api.credentials import Credentials
from ..api.exchange import APIRequest
from ..declarations.model import Declaration, Project
from ..jsonio import JSON, parse_json
from ..text import strip_invisible
from .bind import bind
from .confirm import Policy
from .validate import argument_errors, invalid_arguments

# In Python a bool is an int, in JSON it is not, so a value must have exactly one of these types.
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """Who calls, and the settings for all of their calls.

    Attributes:
        project_id: The project of a call that does not name one.
        timeout: Seconds for the requests of one call, including retries.
        name: The caller's name in the logs; empty over stdio, which has only one caller.
    """

    client: APIClient
    credentials: Credentials
    project_id: int | None = None
    confirm: Policy = "auto"
    timeout: float = 30.0
    retry: bool = True
    max_result_chars: int = 40_000
    name: str = ""

    @property
    def principal(self) -> str:
        """A hash that identifies the caller."""
        return hashlib.sha256(f"{self.name}\n{self.credentials.principal}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, with everything that can be computed before a request is sent.

    Attributes:
        arguments: The normalized arguments with defaults. They may be invalid.
        project: The project that the call is about, if any.
        missing_project: The project parameter of the tool, if the call must name a project and does not.
        secrets: Strings that must never appear in a result, a question or the log.
    """

    tool: Declaration
    arguments: JSON
    context: CallContext
    project: int | str | None
    missing_project: Project | None
    secrets: tuple[str, ...]


def prepare(tool: Declaration, arguments: JSON, context: CallContext) -> Call:
    """Return the call that a client makes with these arguments."""
    normalized = normalize(tool.arguments, arguments)
    project, missing_project = _resolve_project(tool, normalized, context.project_id)
    secrets = [value for name, value in arguments.items() if name in tool.secrets and isinstance(value, str)]
    # Invisible characters are removed from every response, so a response contains the second form.
    hidden = (*context.credentials.secrets, *secrets, *map(strip_invisible, secrets))
    return Call(tool, normalized, context, project, missing_project, hidden)


def _resolve_project(tool: Declaration, arguments: JSON, pinned: int | None) -> tuple[int | str | None, Project | None]:
    parameter = tool.project
    if parameter is None:
        return None, None
    project = arguments.get(parameter.argument)
    # An argument of another type is invalid and has no place in the log.
    if not isinstance(project, int):
        project = pinned if pinned is not None else (parameter.current if tool.read_only else None)
    is_missing = project is None and parameter.argument not in arguments
    return project, parameter if is_missing else None


def plan(tool: Declaration, arguments: JSON, project_id: int | None = None) -> APIRequest:
    """Return the request that a call would send, without sending it or asking a person.

    Raises:
        InvalidArguments: The call would be refused before a request is sent.
    """
    normalized = normalize(tool.arguments, arguments)
    project, missing_project = _resolve_project(tool, normalized, project_id)
    errors = argument_errors(tool, normalized)
    if missing_project:
        errors.append(f"{missing_project.argument}: missing.")
    if errors:
        raise invalid_arguments(tool, errors)
    return bind(tool, normalized, project)


def normalize(properties: JSON, arguments: JSON) -> dict[str, Any]:
    """Parse JSON text, drop a null that is not allowed, and add declared defaults.

    Text is parsed if the type of the argument is not string. Models send `"[1,2]"` for a list, and null for an
    absent argument. Validation reports all other mistakes.
    """
    # A schema can also be `true`.
    schemas = {name: schema if isinstance(schema, dict) else {} for name, schema in properties.items()}
    defaults = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
    return defaults | {
        name: _parsed(_types(schemas.get(name, {})), value)
        for name, value in arguments.items()
        if value is not None or name not in schemas or _allows_null(schemas[name])
    }


def _types(schema: JSON) -> tuple[str, ...]:
    types = schema.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _allows_null(schema: JSON) -> bool:
    return "null" in _types(schema) or (not _types(schema) and None in schema.get("enum", [None]))


def _parsed(types: tuple[str, ...], value: Any) -> Any:
    if not isinstance(value, str) or not types or "string" in types:
        return value
    try:
        parsed = parse_json(value)
    except ValueError:
        return value
    return parsed if any(type(parsed) in _PYTHON_TYPES[name] for name in types) else value
