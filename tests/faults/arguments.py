"""Arguments made from a tool's own input schema: ones that fit, and ones that do not."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as some

from core13_mcp.declarations.model import Declaration

PLANTED = 'pl4nted "horse"\\ stäple\u200br'
"""A password with every character that quoting, cleaning and cutting could change."""

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
    "raw_password": [PLANTED],
    "password": [PLANTED],
    "current_password": ["sandbox analytical engine 1843", PLANTED],
    "email": ["new@analytical.example"],
    "set_current_team": ["1", "2"],
}
"""Values under which the sandbox has something, so that calls also succeed."""

MEANT: dict[str, list[dict[str, Any]]] = {
    "subscriptions-create": [
        {"target_type": "email", "frequency": "daily", "start_date": "2026-01-01T09:00:00Z"} | what | whom
        for what in ({"insight": 1}, {"dashboard": 1, "dashboard_export_insights": [1, 2]})
        for whom in ({"target_value": "a@b.example"}, {"target_value": "a@b.example,c@d.example", "enabled": False})
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
        {"recording_id": "0190a1b2-checkout-bug", "raw_password": PLANTED, "note": "support"},
    ],
    "users-partial-update": [{"first_name": "Augusta"}, {"email": "new@analytical.example"}, {"set_current_team": "2"}],
}
"""Arguments that do something, with which others are mixed."""

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
"""What no schema makes, and a client can still send."""


def fitting(schema: dict[str, Any]) -> some.SearchStrategy[Any]:
    """Values that fit one declared argument."""
    if "enum" in schema:
        return some.sampled_from(schema["enum"])
    kinds = schema.get("type", "object")
    return some.one_of([_of(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def _of(kind: str, schema: dict[str, Any]) -> some.SearchStrategy[Any]:
    match kind:
        case "integer" | "number":
            return some.integers(schema.get("minimum"), schema.get("maximum"))
        case "boolean":
            return some.booleans()
        case "null":
            return some.none()
        case "array":
            return some.lists(fitting(schema["items"]), min_size=schema.get("minItems", 0), max_size=4)
        case "object":
            inner = some.sampled_from([True, False, "red", 3, None])
            return some.dictionaries(some.text(min_size=1, max_size=6), inner, max_size=3)
        case _:
            return _text(schema)


def _text(schema: dict[str, Any]) -> some.SearchStrategy[str]:
    if "pattern" in schema:
        return some.from_regex(schema["pattern"], fullmatch=schema["pattern"].startswith("^"))
    return some.text(min_size=schema.get("minLength", 0), max_size=min(schema.get("maxLength", 40), 40))


def valid(tool: Declaration) -> some.SearchStrategy[dict[str, Any]]:
    """Arguments that fit the schema, mostly ones that mean something in the sandbox."""
    needed = {*tool.input_schema.get("required", ()), *({"project_id", "id"} & tool.arguments.keys())}
    each = {
        name: some.sampled_from(SEEDED[name]) | some.sampled_from(SEEDED[name]) | fitting(schema)
        if name in SEEDED
        else fitting(schema)
        for name, schema in tool.arguments.items()
    }
    optional = {name: values for name, values in each.items() if name not in needed}
    rest = (
        some.sets(some.sampled_from(sorted(optional)), max_size=2).flatmap(
            lambda names: some.fixed_dictionaries({name: optional[name] for name in sorted(names)})
        )
        if optional
        else some.just({})
    )
    made = some.builds(lambda a, b: {**a, **b}, some.fixed_dictionaries({name: each[name] for name in needed}), rest)
    meant = [{"project_id": 1, **given} if tool.project else given for given in MEANT.get(tool.name, [])]
    return made | some.sampled_from(meant) | _mixed(meant, rest) if meant else made


def _mixed(meant: list[dict[str, Any]], rest: some.SearchStrategy[dict[str, Any]]) -> some.SearchStrategy[Any]:
    return some.builds(lambda a, b: {**b, **a}, some.sampled_from(meant), rest)


def invalid(tool: Declaration) -> some.SearchStrategy[dict[str, Any]]:
    """Arguments of which one or two are anything at all, under a known name or not."""
    names = some.sampled_from(sorted(tool.arguments)) if tool.arguments else some.nothing()
    wrong = some.dictionaries(
        names | some.sampled_from(["password", "x" * 300, "project", ""]) | some.text(max_size=8),
        some.sampled_from(HOSTILE) | json_values | json_values.map(json.dumps),
        min_size=1,
        max_size=2,
    )
    return some.builds(lambda a, b: {**a, **b}, valid(tool), wrong)
