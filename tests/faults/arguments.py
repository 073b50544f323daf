"""Hypothesis strategies for valid and invalid arguments of a tool."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as some

from core13_mcp.declarations.model import Declaration

# A password with all characters that quoting, cleaning and shortening can change.
PASSWORD = 'pl4nted "horse"\\ stäple\u200br'

# Values for which the sandbox has an object, so that calls succeed.
SEEDED: dict[str, list[Any]] = {
    "project_id": [1],
    "id": [1, 2, 3, 4, 5, 6],
    "recording_id": ["0190a1b2-checkout-bug", "0190a1b2-onboarding-tour"],
    "password_id": [1],
    "insight": [1, 2, 3],
    "dashboard": [1],
    "dashboard_export_insights": [[1, 2]],
    "integration_id": [1],
    "target_value": ["a@analytical.example", "a@analytical.example,b@analytical.example", "C0GROWTH|#growth"],
    "target_type": ["email", "slack"],
    "start_date": ["2026-01-01T09:00:00Z"],
    "uuid": ["@me"],
    "raw_password": [PASSWORD],
    "password": [PASSWORD],
    "current_password": ["sandbox analytical engine 1843", PASSWORD],
    "email": ["new@analytical.example"],
    "set_current_team": ["1", "2"],
}

# Complete arguments with an effect. Others are mixed with them.
EFFECTIVE: dict[str, list[dict[str, Any]]] = {
    "subscriptions-create": [
        {"target_type": "email", "frequency": "daily", "start_date": "2026-01-01T09:00:00Z"} | content | recipients
        for content in ({"insight": 1}, {"dashboard": 1, "dashboard_export_insights": [1, 2]})
        for recipients in (
            {"target_value": "a@b.example"},
            {"target_value": "a@b.example,c@d.example", "enabled": False},
        )
    ],
    "subscriptions-partial-update": [
        {"id": 2, "enabled": True},
        {"id": 1, "target_value": "new@analytical.example,ada@analytical.example"},
        {"id": 1, "enabled": False},
        {"id": 5, "deleted": False},
        {"id": 3, "title": "Other"},
    ],
    "subscriptions-test-delivery-create": [{"id": 1}, {"id": 4}, {"id": 6}],
    "session-recordings-sharing-passwords-create": [
        {"recording_id": "0190a1b2-checkout-bug"},
        {"recording_id": "0190a1b2-checkout-bug", "raw_password": PASSWORD, "note": "support"},
    ],
    "users-partial-update": [{"first_name": "Augusta"}, {"email": "new@analytical.example"}, {"set_current_team": "2"}],
}

json_values: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


# Values that no schema allows, but that a client can send.
HOSTILE = [
    "\x00",
    "../../users/@me",
    "..",
    "%2e%2e",
    "@me/../../x",
    float("nan"),
    float("inf"),
    10**400,
    -1,
    1.0,
    "1e999",
    "[1,2",
    '{"a":1,"a":2}',
    '["\\ud800"]',
    "[" * 5000 + "]" * 5000,
    {"a": float("nan")},
    _deep(100),
    "x" * 100_000,
    "\u202eevil\x1b[2J\r\nX-Injected: 1",
]


def values_of(schema: dict[str, Any]) -> some.SearchStrategy[Any]:
    """Return a strategy for the values of one argument."""
    if "enum" in schema:
        return some.sampled_from(schema["enum"])
    types = schema.get("type", "object")
    return some.one_of([_of_type(name, schema) for name in ([types] if isinstance(types, str) else types)])


def _of_type(name: str, schema: dict[str, Any]) -> some.SearchStrategy[Any]:
    match name:
        case "integer" | "number":
            return some.integers(schema.get("minimum"), schema.get("maximum"))
        case "boolean":
            return some.booleans()
        case "null":
            return some.none()
        case "array":
            return some.lists(values_of(schema["items"]), min_size=schema.get("minItems", 0), max_size=4)
        case "object":
            inner = some.sampled_from([True, False, "red", 3, None])
            return some.dictionaries(some.text(min_size=1, max_size=6), inner, max_size=3)
        case _:
            return _text(schema)


def _text(schema: dict[str, Any]) -> some.SearchStrategy[str]:
    if "pattern" in schema:
        return some.from_regex(schema["pattern"], fullmatch=schema["pattern"].startswith("^"))
    return some.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 40), 40))


def valid_arguments(tool: Declaration) -> some.SearchStrategy[dict[str, Any]]:
    """Return a strategy for arguments that match the schema, often with an effect."""
    required = {*tool.input_schema.get("required", ()), *({"project_id", "id"} & tool.arguments.keys())}
    each = {
        name: some.sampled_from(SEEDED[name]) | some.sampled_from(SEEDED[name]) | values_of(schema)
        if name in SEEDED
        else values_of(schema)
        for name, schema in tool.arguments.items()
    }
    optional = {name: values for name, values in each.items() if name not in required}
    rest = (
        some.sets(some.sampled_from(sorted(optional)), max_size=2).flatmap(
            lambda names: some.fixed_dictionaries({name: optional[name] for name in sorted(names)})
        )
        if optional
        else some.just({})
    )
    any_arguments = some.builds(
        lambda a, b: {**a, **b}, some.fixed_dictionaries({name: each[name] for name in required}), rest
    )
    effective = [
        {**({"project_id": 1} if tool.project else {}), **arguments} for arguments in EFFECTIVE.get(tool.name, [])
    ]
    if not effective:
        return any_arguments
    mixed = some.builds(lambda a, b: {**b, **a}, some.sampled_from(effective), rest)
    return any_arguments | some.sampled_from(effective) | mixed


def invalid_arguments(tool: Declaration) -> some.SearchStrategy[dict[str, Any]]:
    """Return a strategy for arguments of which one or two have any name and any value."""
    names = some.sampled_from(sorted(tool.arguments)) if tool.arguments else some.nothing()
    wrong = some.dictionaries(
        names | some.sampled_from(["password", "x" * 300, "project", ""]) | some.text(max_size=8),
        some.sampled_from(HOSTILE) | json_values | json_values.map(json.dumps),
        min_size=1,
        max_size=2,
    )
    return some.builds(lambda a, b: {**a, **b}, valid_arguments(tool), wrong)
