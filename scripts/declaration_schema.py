"""docs/declaration.schema.json: the JSON Schema of a declaration file, for editors, from the models of declarations."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from core13_mcp import declarations
from core13_mcp.declarations.base import Model
from core13_mcp.declarations.model import Declaration
from core13_mcp.declarations.schema_rules import INPUT_KEYWORDS, MAX_ITEMS, OUTPUT_KEYWORDS, TYPES
from core13_mcp.jsonio import pretty_json

FILE = Path(__file__).parents[1] / "docs" / "declaration.schema.json"

REFERENCE = {
    "description": "A shared field, from fields/ of the same directory or from the built-in one. Other keys override its keys.",
    "type": "object",
    "properties": {"$ref": {"type": "string", "pattern": "^fields/[^/#]+\\.json#/.+$"}},
    "required": ["$ref"],
}
_ATTRIBUTE = re.compile(r"^ {4}([a-z_, ]+): ((?:.|\n {8})+)", re.MULTILINE)


def generate() -> dict[Path, str]:
    """Return the content of the file, by path."""
    return {FILE: pretty_json(schema()) + "\n"}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a declaration file."""
    root = Declaration.model_json_schema()
    definitions = {name: _convert(part, _model(name)) for name, part in root.pop("$defs").items()}
    converted = _convert(root, Declaration)
    converted["properties"] |= {
        "$schema": {"description": "This schema, for editors. Clients do not receive it.", "type": "string"},
        "inputSchema": {"$ref": "#/$defs/InputSchema"},
        "outputSchema": {"$ref": "#/$defs/OutputSchema"},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Declaration of a tool",
        **converted,
        "$defs": {**dict(sorted(definitions.items())), **_wire_definitions()},
    }


def _model(name: str) -> type[BaseModel]:
    for module in pkgutil.iter_modules(declarations.__path__, f"{declarations.__name__}."):
        importlib.import_module(module.name)
    return next(model for model in _subclasses(Model) if model.__name__ == name)


def _subclasses(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [other for child in model.__subclasses__() for other in (child, *_subclasses(child))]


def _convert(part: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a model with the texts of its docstring, both names of its keys, and references."""
    texts, required = _attribute_texts(model), set(part.get("required", ()))
    properties: dict[str, Any] = {}
    names: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        value = _with_reference(_plain(part["properties"][key]), texts.get(name))
        # A key with an older name has both names. The other aliases are the spelling of JSON.
        keys = (key,) if key in (name, to_camel(name)) else (name, key)
        properties |= dict.fromkeys(keys, value)
        names += [keys] if key in required else []
    required_keys = [keys[0] for keys in names if len(keys) == 1]
    alternatives = [{"anyOf": [{"required": [key]} for key in keys]} for keys in names if len(keys) > 1]
    return {
        "description": _summary(model),
        "type": "object",
        "properties": properties,
        **({"required": required_keys} if required_keys else {}),
        **({"allOf": alternatives} if alternatives else {}),
        "additionalProperties": False,
    }


def _plain(part: Any) -> Any:
    """Return a schema of pydantic without titles, and without null, which stands for an absent key."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    kinds = [kind for kind in part.get("anyOf", ()) if kind.get("type") != "null"]
    merged = {**{key: value for key, value in part.items() if key != "anyOf"}, **(kinds[0] if kinds else {})}
    plain = {key: _plain(value) for key, value in merged.items() if key not in ("title", "default")}
    for key in ("items", "additionalProperties"):
        if isinstance(plain.get(key), dict):
            plain[key] = _with_reference(plain[key])
    return plain


def _with_reference(part: dict[str, Any], text: str | None = None) -> dict[str, Any]:
    return {**({"description": text} if text else {}), "anyOf": [part, {"$ref": "#/$defs/Reference"}]}


def _attribute_texts(model: type[BaseModel]) -> dict[str, str]:
    _, _, section = (model.__doc__ or "").partition("Attributes:\n")
    texts = {names: " ".join(text.split()) for names, text in _ATTRIBUTE.findall(_dedent(section))}
    return {name: text for names, text in texts.items() for name in names.split(", ")}


def _dedent(section: str) -> str:
    # The docstring of a class is indented by four spaces, and its attributes by eight.
    return re.sub(r"^ {4}", "", section, flags=re.MULTILINE)


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _wire_definitions() -> dict[str, Any]:
    """Return the definitions of the parts that MCP clients receive, with the keywords that all of them accept."""
    keywords: dict[str, Any] = {
        "type": {"enum": list(TYPES)},
        "description": {"type": "string"},
        "default": {},
        "enum": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        "format": {"const": "date-time"},
        "pattern": {"type": "string", "format": "regex"},
        "required": {"type": "array", "items": {"type": "string"}},
        "additionalProperties": {"type": "boolean"},
        **{name: {"type": "integer", "minimum": 0} for name in ("minLength", "maxLength", "minItems")},
        **{name: {"type": "number"} for name in ("minimum", "maximum")},
        "maxItems": {"type": "integer", "minimum": 1, "maximum": MAX_ITEMS},
    }
    return {
        "Reference": REFERENCE,
        "InputSchema": _root("The arguments of the tool.", "Argument", keywords)
        | {"required": ["type", "properties", "additionalProperties"]},
        "OutputSchema": {"anyOf": [_root("The fields of a result.", "Field", keywords), {"$ref": "#/$defs/Reference"}]},
        "Argument": _nested("Argument", INPUT_KEYWORDS, keywords),
        "Field": _nested("Field", OUTPUT_KEYWORDS, keywords),
    }


def _root(text: str, part: str, keywords: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": text,
        "type": "object",
        "properties": {
            "type": {"const": "object"},
            "properties": {"additionalProperties": {"$ref": f"#/$defs/{part}"}},
            "required": keywords["required"],
            **({"additionalProperties": {"const": False}} if part == "Argument" else {}),
        },
        "additionalProperties": False,
    }


def _nested(part: str, names: tuple[str, ...], keywords: dict[str, Any]) -> dict[str, Any]:
    inner = {"$ref": f"#/$defs/{part}"}
    parts = {**keywords, "items": inner, "properties": {"additionalProperties": inner}}
    schema = {"type": "object", "properties": {name: parts[name] for name in names}, "additionalProperties": False}
    return {"anyOf": [schema, {"$ref": "#/$defs/Reference"}]}
