"""Rules for the schemas that MCP clients receive.

Model providers and MCP hosts accept different parts of JSON Schema. If one of them rejects one tool, a whole session
fails, so a schema uses only what all of them accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..jsonio import compact_json
from .model import Declaration
from .problems import Problem

# The keywords of a function declaration that Gemini accepts. Any other keyword may fail the request.
INPUT_KEYWORDS = (
    "type",
    "description",
    "default",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "items",
    "minItems",
    "maxItems",
    "properties",
    "required",
    "additionalProperties",
)

# Newer versions of the API violate constraints of results.
OUTPUT_KEYWORDS = ("type", "description", "properties", "required", "items")

_ROOT_KEYWORDS = {"type", "properties", "required", "additionalProperties"}

TYPES = ("string", "integer", "number", "boolean", "array", "object")

# Limits of OpenAI and Anthropic.
MAX_DEPTH, MAX_PROPERTIES, MAX_ENUM_VALUES, MAX_SCHEMA_CHARS = 5, 100, 500, 16_384
MAX_ITEMS = 100

PROPERTY_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")

# Look-around and back references, which constrained decoding does not support.
UNSUPPORTED_REGEX = re.compile(r"\(\?[=!<]|\\[1-9]")

SECRET_NAME = re.compile(r"token|secret|password|hash")


class Subschema(NamedTuple):
    """A schema inside another one, with the path of its key and its depth."""

    key: str
    depth: int
    schema: dict[str, Any]


def subschemas(schema: dict[str, Any], key: str, depth: int = 0) -> Iterator[Subschema]:
    """Yield a schema and all schemas in it. A property that is called `title` is no keyword."""
    yield Subschema(key, depth, schema)
    for name, part in _parts(schema, key):
        yield from subschemas(part, name, depth + 1)


def _parts(schema: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    parts = [(f"{key}.properties.{name}", part) for name, part in schema.get("properties", {}).items()]
    return [*parts, (f"{key}.items", schema["items"])] if "items" in schema else parts


def boolean_schemas(schema: Any, key: str) -> Iterator[Problem]:
    """Yield a problem for each schema that is `true` or `false`. The other rules need objects."""
    if not isinstance(schema, dict):
        yield Problem(key, "some providers reject true and false as a schema", "Use an object, such as {}.")
        return
    for name, part in _parts(schema, key):
        yield from boolean_schemas(part, name)


def schema_problems(tool: Declaration) -> Iterator[Problem]:
    """Yield the problems of the input schema and of the output schema."""
    inputs = list(subschemas(tool.input_schema, "inputSchema"))
    outputs = list(subschemas(tool.output_schema, "outputSchema"))
    yield from _root_problems(tool)
    for part in inputs:
        yield from _keyword_problems(part, INPUT_KEYWORDS)
        yield from _input_problems(part)
    for part in outputs:
        yield from _keyword_problems(part, OUTPUT_KEYWORDS)
        yield from _output_problems(part)
    yield from _size_problems(inputs, outputs)


def _root_problems(tool: Declaration) -> Iterator[Problem]:
    schema = tool.input_schema
    if schema.get("type") != "object":
        yield Problem("inputSchema.type", "the root is not an object", 'The correct form is "object".')
    if schema.get("additionalProperties") is not False:
        yield Problem("inputSchema.additionalProperties", "unknown arguments are accepted", "Set it to false.")
    for name in sorted(schema.keys() - _ROOT_KEYWORDS):
        fix = "Use type, properties, required and additionalProperties; a constraint on arguments belongs in rules."
        yield Problem(f"inputSchema.{name}", "the root has a keyword that providers reject", fix)
    for name in schema.get("required", ()):
        if name not in tool.arguments:
            yield Problem("inputSchema.required", f"{name} is not a property", "Name properties of the schema only.")
    if tool.output_schema.get("type") != "object":
        yield Problem("outputSchema.type", "the root is not an object", 'The correct form is "object".')


def _keyword_problems(part: Subschema, keywords: tuple[str, ...]) -> Iterator[Problem]:
    key, _, schema = part
    allowed = f"Use {', '.join(keywords)} only."
    for name in sorted(schema.keys() - set(keywords)):
        yield Problem(f"{key}.{name}", "a provider rejects this keyword, or it only costs characters", allowed)
    if not isinstance(schema.get("type", ""), str):
        yield Problem(f"{key}.type", "some hosts reject a list of types", f"Use one of {', '.join(TYPES)}.")
    if schema.get("type") == "array" and not schema.get("items"):
        yield Problem(f"{key}.items", "the list has no schema of its items", 'Add one, such as {"type": "string"}.')
    for name in schema.get("properties", {}):
        if not PROPERTY_NAME.fullmatch(name):
            fix = "Use up to 64 letters, digits, underscores, dots and hyphens, or move the name to documented."
            yield Problem(f"{key}.properties.{name}", "a provider rejects this name of a property", fix)


def _input_problems(part: Subschema) -> Iterator[Problem]:
    key, _, schema = part
    kind, enum, pattern = schema.get("type"), schema.get("enum"), schema.get("pattern", "")
    if "type" not in schema:
        yield Problem(f"{key}.type", "the key is missing", f"Use one of {', '.join(TYPES)}.")
    if enum is not None and not (kind == "string" and all(isinstance(value, str) and value for value in enum)):
        yield Problem(f"{key}.enum", "providers accept enums of texts that are not empty only", "Use such texts.")
    if schema.get("format", "date-time") != "date-time":
        yield Problem(f"{key}.format", "Gemini rejects this format", "Use date-time, or a pattern.")
    if UNSUPPORTED_REGEX.search(pattern):
        fix = "Write the pattern without look-around and back references."
        yield Problem(f"{key}.pattern", "providers do not support this regular expression", fix)
    if kind == "array" and not 1 <= schema.get("maxItems", 0) <= MAX_ITEMS:
        yield Problem(f"{key}.maxItems", "the length of the list has no limit", f"Set it to 1 to {MAX_ITEMS}.")


def _output_problems(part: Subschema) -> Iterator[Problem]:
    key, depth, schema = part
    for name in schema.get("properties", {}):
        if name == "api_token" or (depth and SECRET_NAME.search(name)):
            yield Problem(f"{key}.properties.{name}", "a result would show a secret", "Remove the property.")
    for name in schema.get("required", ()):
        if "type" not in schema.get("properties", {}).get(name, {}):
            fix = "Add its type, or remove the name from required."
            yield Problem(f"{key}.required", f"the required property {name} has no type", fix)


def _size_problems(inputs: list[Subschema], outputs: list[Subschema]) -> Iterator[Problem]:
    for part in (inputs[0], outputs[0]):
        if (size := len(compact_json(part.schema))) > MAX_SCHEMA_CHARS:
            fix = "Remove properties or shorten descriptions."
            yield Problem(part.key, f"the schema has {size} characters, and Claude accepts {MAX_SCHEMA_CHARS}", fix)
    sizes = {
        "levels": (max(part.depth for part in inputs), MAX_DEPTH),
        "properties": (sum(len(part.schema.get("properties", {})) for part in inputs), MAX_PROPERTIES),
        "values of enums": (sum(len(part.schema.get("enum", ())) for part in inputs), MAX_ENUM_VALUES),
    }
    for what, (size, limit) in sizes.items():
        if size > limit:
            fix = "Remove arguments, or declare inner objects without their properties."
            yield Problem("inputSchema", f"the schema has {size} {what}, and OpenAI accepts {limit}", fix)
