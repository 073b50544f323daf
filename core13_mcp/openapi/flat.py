"""One level of a schema of an OpenAPI document, without references, combinators and lists of types. Pure."""

from __future__ import annotations

from typing import Any

from .document import Document

_COMBINATORS = ("allOf", "oneOf", "anyOf")

# Combinators inside one another.
_MAX_NESTING = 20

# The largest integer that the database of the API stores in most of its fields.
MAX_INT = 2_147_483_647

# The forms of the keywords. A keyword with another form, which only a faulty document has, is ignored.
_FORMS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys((*_COMBINATORS, "enum", "required"), list),
    **dict.fromkeys(("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"), (int, float)),
    "properties": dict,
    "pattern": str,
    "type": (str, list),
}


def flatten(document: Document, schema: Any, nesting: int = 0) -> dict[str, Any]:
    """Return a schema that has at its own level one `type` or none, and no `$ref` and combinator.

    `nullable` is true if null is a valid value. The parts of `allOf` are merged. The alternatives of `oneOf` and
    `anyOf` become one schema that all of them match: the union of their enums, the properties of all of them, of which
    those of every alternative are required, and `types` instead of `type` if they have different ones. Schemas of
    properties and items stay as they are. Limits that are only the size of an integer in the database are left out.
    """
    reference = schema.get("$ref") if isinstance(schema, dict) and len(schema) == 1 else None
    if not isinstance(reference, str):
        return _flatten(document, schema, nesting)
    if reference not in document.flat_schemas:
        # A schema that contains itself allows everything at that place. Without this, it would be followed many times.
        document.flat_schemas[reference] = {}
        document.flat_schemas[reference] = _flatten(document, schema, nesting)
    return dict(document.flat_schemas[reference])


def _flatten(document: Document, schema: Any, nesting: int) -> dict[str, Any]:
    flat = _well_formed(document.resolve(schema))
    own = {key: value for key, value in flat.items() if key not in _COMBINATORS}
    own = _single_type(own)
    if nesting > _MAX_NESTING:
        return own
    for keyword in _COMBINATORS:
        parts = [flatten(document, part, nesting + 1) for part in flat.get(keyword) or ()]
        if parts:
            own = _merge(own, _intersection(parts) if keyword == "allOf" else _union(parts))
    return own


def _well_formed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords that have a correct form and say more than the size of a column in the database."""
    forms = _FORMS.get
    result: dict[str, Any] = {key: value for key, value in schema.items() if isinstance(value, forms(key, object))}
    for keyword in ("minimum", "maximum"):
        if abs(result.get(keyword, 0)) >= MAX_INT:
            del result[keyword]
    for keyword in ("required", "type"):
        if isinstance(names := result.get(keyword), list):
            result[keyword] = [name for name in names if isinstance(name, str)]
    return result


def _single_type(schema: dict[str, Any]) -> dict[str, Any]:
    """Express null by `nullable`, in a list of types, an enum, or alone."""
    types = schema.get("type")
    names = list(types) if isinstance(types, list) else [types] if types else []
    enum = schema.get("enum")
    nullable = bool(schema.get("nullable")) or "null" in names or (isinstance(enum, list) and None in enum)
    result = {key: value for key, value in schema.items() if key not in ("type", "nullable")}
    if isinstance(enum, list):
        result["enum"] = [value for value in enum if value is not None]
        if not result["enum"]:
            del result["enum"]
            names = ["null"]
    if "const" in result:
        result["enum"] = [result.pop("const")]
    others = [name for name in names if name != "null"]
    if len(others) == 1:
        result["type"] = others[0]
    elif names == ["null"]:
        result["type"] = "null"
    elif set(others) == {"integer", "number"}:
        result["type"] = "number"
    elif others:
        result["types"] = others
    if nullable:
        result["nullable"] = True
    return result


def _intersection(parts: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        merged = _merge(merged, part)
    return merged


def _union(parts: list[dict[str, Any]]) -> dict[str, Any]:
    nullable = any(part.get("nullable") or part.get("type") == "null" for part in parts)
    kinds = [part for part in parts if part.get("type") != "null"]
    if not kinds:
        return {"type": "null", "nullable": True}
    if len(kinds) == 1:
        union = dict(kinds[0])
    else:
        union = {key: kinds[0][key] for key in kinds[0] if all(part.get(key) == kinds[0][key] for part in kinds)}
        types = dict.fromkeys(name for part in kinds for name in part.get("types", [part.get("type")]) if name)
        if "type" not in union:
            union["types"] = list(types)
        if all("enum" in part for part in kinds):
            union["enum"] = list(dict.fromkeys(value for part in kinds for value in part["enum"]))
        if properties := _union_of_properties(kinds):
            required = set.intersection(*(set(part.get("required", ())) for part in kinds))
            union |= {"properties": properties, "required": sorted(required)}
    return {**union, "nullable": True} if nullable else union


def _union_of_properties(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the properties of all alternatives. One with different schemas, such as a discriminator, has each."""
    schemas: dict[str, list[Any]] = {}
    for part in kinds:
        for name, schema in part.get("properties", {}).items():
            if schema not in schemas.setdefault(name, []):
                schemas[name].append(schema)
    return {name: different[0] if len(different) == 1 else {"anyOf": different} for name, different in schemas.items()}


def _merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the keywords of both. Those of the first one win, as they are beside the combinator."""
    merged = {**second, **first}
    for keyword in ("properties", "required"):
        if keyword in first and keyword in second:
            one, other = first[keyword], second[keyword]
            merged[keyword] = {**other, **one} if keyword == "properties" else list(dict.fromkeys([*one, *other]))
    return merged
