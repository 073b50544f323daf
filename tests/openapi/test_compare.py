"""The differences between declarations and an OpenAPI document.

Each case changes a document that has exactly what the declarations have.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.drift import AcceptedDifference
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import ConfigurationError
from core13_mcp.openapi.compare import Finding, compare
from core13_mcp.openapi.document import Document
from core13_mcp.openapi.draft import draft

from .derived import derived_document

DECLARED = load()
# Without the accepted differences, which this document does not have.
CATALOG = {name: tool.model_copy(update={"drift": ()}) for name, tool in DECLARED.items()}

SUBSCRIPTIONS = "/api/projects/{project_id}/subscriptions/"
SUBSCRIPTION = f"{SUBSCRIPTIONS}{{id}}/"
PASSWORDS = "/api/projects/{project_id}/session_recordings/{recording_id}/sharing/passwords/"
USERS, USER = "/api/users/", "/api/users/{uuid}/"

CREATE, PATCH, LIST = "subscriptions-create", "subscriptions-partial-update", "subscriptions-list"
DESTROY = "subscriptions-destroy"
DOCUMENTS = [path for path in os.environ.get("CONTRACT", "").split(os.pathsep) if path]

Content = dict[str, Any]
# The name of the tool, the rank and the key of a difference.
Expected = tuple[str, str, str]


def differences(content: Content, catalog: dict[str, Declaration] = CATALOG) -> list[Expected]:
    findings = compare(catalog, Document(content, "document.json"))
    return [(found.tool, found.difference.rank, found.difference.key) for found in findings if not found.accepted]


def document() -> Content:
    return derived_document(CATALOG.values())


def operation(content: Content, method: str, path: str) -> Any:
    return content["paths"][path][method.lower()]


def body(content: Content, path: str = SUBSCRIPTIONS, method: str = "POST") -> Any:
    return operation(content, method, path)["requestBody"]["content"]["application/json"]["schema"]


def field(name: str, path: str = SUBSCRIPTIONS, method: str = "POST") -> Callable[[Content], Content]:
    return lambda content: body(content, path, method)["properties"][name]


def response(content: Content, path: str, status: str = "200", method: str = "GET") -> Any:
    return operation(content, method, path)["responses"][status]["content"]["application/json"]["schema"]


def parameter(content: Content, name: str, path: str = SUBSCRIPTIONS, method: str = "GET") -> Content:
    parameters = operation(content, method, path)["parameters"]
    return next(item for item in parameters if item["name"] == name)


def add_parameter(content: Content, path: str = SUBSCRIPTIONS, method: str = "GET", **item: Any) -> None:
    operation(content, method, path)["parameters"].append({"in": "query", "name": "color", **item})


def remove_parameter(content: Content, name: str) -> None:
    operation(content, "GET", SUBSCRIPTIONS)["parameters"].remove(parameter(content, name))


def rename(content: Content, old: str, new: str) -> None:
    """Rename a placeholder in all paths."""
    text = json.dumps(content["paths"]).replace(f"{{{old}}}", f"{{{new}}}")
    content["paths"] = json.loads(text.replace(f'"in": "path", "name": "{old}"', f'"in": "path", "name": "{new}"'))


def refer(content: Content, schema: Content, **siblings: Any) -> None:
    """Move a schema to the components, as PostHog's document does."""
    content.setdefault("components", {}).setdefault("schemas", {})["Moved"] = dict(schema)
    schema.clear()
    schema.update(siblings or {"$ref": "#/components/schemas/Moved"})


def contain_itself(content: Content, schema: Content) -> None:
    refer(content, {"allOf": [MOVED, MOVED]})
    schema["allOf"] = [MOVED]


MOVED = {"$ref": "#/components/schemas/Moved"}
NONE: list[Expected] = []

# A change of the document, and the differences that it causes.
CHANGES: dict[str, tuple[Callable[[Content], object], list[Expected]]] = {
    "nothing changed": (lambda d: None, NONE),
    # Operations.
    "an operation is removed": (
        lambda d: d["paths"][USERS].pop("get"),
        [("users-list", "breaks", "operation")],
    ),
    "an operation has another path": (
        lambda d: d["paths"].update({"/api/people/": d["paths"].pop(USERS)}),
        [("users-list", "breaks", "operation")],
    ),
    "a placeholder has another name": (lambda d: rename(d, "project_id", "team_id"), NONE),
    "an operation is added below the path of a tool": (
        lambda d: d["paths"].update({f"{USER}two_factor/": {"get": {"operationId": "x"}}}),
        [("users-destroy", "new", f"operation GET {USER}two_factor/")],
    ),
    "a method is added to the path of a tool": (
        lambda d: d["paths"][SUBSCRIPTION].update({"put": {"operationId": "x"}}),
        [(DESTROY, "new", f"operation PUT {SUBSCRIPTION}")],
    ),
    "an operation of another resource is added": (
        lambda d: d["paths"].update({"/api/annotations/": {"get": {"operationId": "x"}}}),
        NONE,
    ),
    "an operation is deprecated": (
        lambda d: operation(d, "GET", USERS).update(deprecated=True),
        [("users-list", "misleads", "operation.deprecated")],
    ),
    # Scopes.
    "another scope is required": (
        lambda d: operation(d, "GET", USERS).update(security=[{"PersonalAPIKeyAuth": ["member:read"]}]),
        [("users-list", "breaks", "scope")],
    ),
    "a second scope is required": (
        lambda d: operation(d, "GET", USERS)["security"][0]["PersonalAPIKeyAuth"].append("member:read"),
        [("users-list", "breaks", "scope")],
    ),
    "no scope is required": (
        lambda d: operation(d, "GET", USERS).pop("security"),
        [("users-list", "misleads", "scope")],
    ),
    "an API key is accepted": (
        lambda d: operation(d, "DELETE", USER).update(security=[{"PersonalAPIKeyAuth": ["user:write"]}]),
        [("users-destroy", "misleads", "scope")],
    ),
    "the document states no scopes at all": (
        lambda d: [item.pop("security", 0) for path in d["paths"].values() for item in path.values()],
        NONE,
    ),
    # Parameters.
    "a filter is removed": (
        lambda d: remove_parameter(d, "deleted"),
        [(LIST, "misleads", "arguments.deleted")],
    ),
    "a field of the body is removed": (
        lambda d: body(d)["properties"].pop("title"),
        [(CREATE, "misleads", "arguments.title")],
    ),
    "a field is removed, and others are refused": (
        lambda d: (body(d)["properties"].pop("title"), body(d).update(additionalProperties=False)),
        [(CREATE, "breaks", "arguments.title")],
    ),
    "the body is removed": (
        lambda d: operation(d, "POST", PASSWORDS).pop("requestBody"),
        [
            ("session-recordings-sharing-passwords-create", "misleads", "arguments.raw_password"),
            ("session-recordings-sharing-passwords-create", "misleads", "arguments.note"),
        ],
    ),
    "a filter is added": (
        lambda d: add_parameter(d, schema={"type": "string"}),
        [(LIST, "new", "arguments.color")],
    ),
    "a required filter is added": (
        lambda d: add_parameter(d, required=True),
        [(LIST, "breaks", "arguments.color")],
    ),
    "a required header is added": (
        lambda d: add_parameter(d, required=True, **{"in": "header"}),
        [(LIST, "breaks", "arguments.color")],
    ),
    "a header is added": (lambda d: add_parameter(d, **{"in": "header"}), NONE),
    "a field is added": (
        lambda d: body(d)["properties"].update(color={"type": "string"}),
        [(CREATE, "new", "arguments.color")],
    ),
    "a documented parameter is added": (lambda d: body(d)["properties"].update(deleted={"type": "boolean"}), NONE),
    "a documented parameter is required": (
        lambda d: (body(d)["properties"].update(deleted={}), body(d)["required"].append("deleted")),
        [(CREATE, "breaks", "arguments.deleted")],
    ),
    "a field of responses is added": (
        lambda d: (body(d)["properties"].update(color={"readOnly": True}), body(d)["required"].append("color")),
        NONE,
    ),
    "a field is added to the whole body": (
        lambda d: body(d, f"{USER}hedgehog_config/", "PATCH").update(properties={"color": {"type": "string"}}),
        NONE,
    ),
    "the body has any form": (lambda d: body(d).pop("properties"), NONE),
    # Required fields.
    "an optional field is required": (
        lambda d: body(d)["required"].append("title"),
        [(CREATE, "breaks", "arguments.title.required")],
    ),
    "a field with a default is required": (lambda d: body(d)["required"].append("interval"), NONE),
    "a required field is optional": (
        lambda d: body(d)["required"].remove("frequency"),
        [(CREATE, "new", "arguments.frequency.required")],
    ),
    # Types.
    "a field has another type": (
        lambda d: field("interval")(d).update(type="string"),
        [(CREATE, "breaks", "arguments.interval.type")],
    ),
    "the items of a list have another type": (
        lambda d: field("dashboard_export_insights")(d)["items"].update(type="string"),
        [(CREATE, "breaks", "arguments.dashboard_export_insights.type")],
    ),
    "a field is nullable": (lambda d: field("interval")(d).update(type=["integer", "null"]), NONE),
    "a field is any number": (lambda d: field("interval")(d).update(type="number"), NONE),
    "a field has no type": (lambda d: field("interval")(d).pop("type"), NONE),
    "a filter is a text": (lambda d: parameter(d, "insight")["schema"].update(type="string"), NONE),
    "the whole body has another type": (
        lambda d: body(d, f"{USER}hedgehog_config/", "PATCH").update(type="array"),
        [("users-hedgehog-config-partial-update", "breaks", "arguments.hedgehog_config.type")],
    ),
    "a field cannot be cleared": (
        lambda d: field("title", SUBSCRIPTION, "PATCH")(d).update(type="string"),
        [(PATCH, "breaks", "arguments.title.clear")],
    ),
    "a field that can be cleared has no type": (lambda d: field("title", SUBSCRIPTION, "PATCH")(d).pop("type"), NONE),
    # Enums.
    "a value is removed": (
        lambda d: field("frequency")(d)["enum"].remove("yearly"),
        [(CREATE, "breaks", "arguments.frequency.enum.yearly")],
    ),
    "a value is added": (
        lambda d: field("frequency")(d)["enum"].append("hourly"),
        [(CREATE, "new", "arguments.frequency.enum.hourly")],
    ),
    "a value of items is added": (
        lambda d: field("byweekday")(d)["items"]["enum"].append("someday"),
        [(CREATE, "new", "arguments.byweekday.enum.someday")],
    ),
    "an enum is added": (
        lambda d: field("title")(d).update(enum=["A", "B"]),
        [(CREATE, "breaks", "arguments.title.enum")],
    ),
    "an enum of booleans is added": (lambda d: field("enabled")(d).update(enum=[True, False]), NONE),
    "an enum is removed": (lambda d: field("frequency")(d).pop("enum"), NONE),
    "an enum allows an empty text and null": (lambda d: field("frequency")(d)["enum"].extend(["", None]), NONE),
    # Limits.
    "a limit is stricter": (
        lambda d: field("title")(d).update(maxLength=50),
        [(CREATE, "breaks", "arguments.title.maxLength")],
    ),
    "a lower limit is stricter": (
        lambda d: field("interval")(d).update(minimum=2),
        [(CREATE, "breaks", "arguments.interval.minimum")],
    ),
    "a limit is less strict": (
        lambda d: field("title")(d).update(maxLength=200),
        [(CREATE, "new", "arguments.title.maxLength")],
    ),
    "a lower limit is less strict": (
        lambda d: field("interval")(d).update(minimum=0),
        [(CREATE, "new", "arguments.interval.minimum")],
    ),
    "a limit is added": (
        lambda d: field("invite_message")(d).update(maxLength=9),
        [(CREATE, "breaks", "arguments.invite_message.maxLength")],
    ),
    "a limit is removed": (lambda d: field("title")(d).pop("maxLength"), NONE),
    "a limit is the size of an integer in a database": (
        lambda d: field("interval")(d).update(minimum=-2147483648, maximum=9223372036854775807),
        NONE,
    ),
    "a limit that every text has is added": (lambda d: field("title")(d).update(minLength=0), NONE),
    "a limit is added where the tool has a pattern": (
        lambda d: parameter(d, "created_by")["schema"].update(maxLength=40),
        NONE,
    ),
    "a limit is added where the tool has an enum": (
        lambda d: field("frequency")(d).update(enum=[], maxLength=3) or field("frequency")(d).pop("enum"),
        NONE,
    ),
    "a pattern is added": (
        lambda d: field("title")(d).update(pattern="^[A-Z]"),
        [(CREATE, "breaks", "arguments.title.pattern")],
    ),
    "a pattern is changed": (
        lambda d: parameter(d, "created_by")["schema"].update(pattern="^[0-9]+$"),
        [(LIST, "misleads", "arguments.created_by.pattern")],
    ),
    # The same in another form.
    "a schema is referred to": (lambda d: refer(d, field("frequency")(d)), NONE),
    "a schema is in allOf": (lambda d: refer(d, field("frequency")(d), allOf=[MOVED]), NONE),
    "a schema is in oneOf beside null": (
        lambda d: refer(d, field("frequency")(d), oneOf=[MOVED, {"enum": [""]}, {"enum": [None]}]),
        NONE,
    ),
    "a schema contains itself twice": (lambda d: contain_itself(d, field("title")(d)), NONE),
    "a schema is in many combinators": (
        lambda d: field("title")(d).update(json.loads('{"allOf": [' * 50 + "{}" + "]}" * 50)),
        NONE,
    ),
    "a parameter is shared by all methods of a path": (
        lambda d: d["paths"][USER].update(parameters=operation(d, "GET", USER).pop("parameters")),
        NONE,
    ),
    # Fallbacks.
    "a field of the fallback request is removed": (
        lambda d: body(d, SUBSCRIPTION, "PATCH")["properties"].pop("deleted"),
        [(DESTROY, "breaks", "fallback.deleted"), (PATCH, "misleads", "arguments.deleted")],
    ),
    "the fallback request is removed": (
        lambda d: d["paths"][SUBSCRIPTION].pop("patch"),
        [(DESTROY, "misleads", "fallback"), (PATCH, "breaks", "operation")],
    ),
    "only the fallback request succeeds": (
        lambda d: operation(d, "DELETE", SUBSCRIPTION).update(responses={"405": {}}),
        NONE,
    ),
    # Responses.
    "a field of the response is removed": (
        lambda d: response(d, USER)["properties"].pop("first_name"),
        [("users-retrieve", "misleads", "result.first_name")],
    ),
    "a nested field of the response is removed": (
        lambda d: response(d, USER)["properties"]["team"]["properties"].pop("name"),
        [("users-retrieve", "misleads", "result.team.name")],
    ),
    "a field of the rows is removed": (
        lambda d: response(d, USERS)["properties"]["results"]["items"]["properties"].pop("email"),
        [("users-list", "misleads", "result.results.email")],
    ),
    "a field of the response can only be written": (
        lambda d: response(d, USER)["properties"]["first_name"].update(writeOnly=True),
        [("users-retrieve", "misleads", "result.first_name")],
    ),
    "a field of the response has another type": (
        lambda d: response(d, SUBSCRIPTION)["properties"]["id"].update(type="string"),
        [("subscriptions-retrieve", "misleads", "result.id.type")],
    ),
    "a field of the response is nullable": (
        lambda d: response(d, SUBSCRIPTION)["properties"]["id"].update(type=["integer", "null"]),
        NONE,
    ),
    "a field that is not shown is added to the response": (
        lambda d: response(d, USER)["properties"].update(color={"type": "string"}),
        NONE,
    ),
    "the field that proves success is removed": (
        lambda d: response(d, USER)["properties"].pop("uuid"),
        [("users-retrieve", "breaks", "evidence.field"), ("users-retrieve", "misleads", "result.uuid")],
    ),
    "success has another status": (
        lambda d: operation(d, "GET", USER).update(responses={"202": {}}),
        [("users-retrieve", "breaks", "evidence.status")],
    ),
    "success has another status too": (lambda d: operation(d, "GET", USER)["responses"].update({"202": {}}), NONE),
    "success has any status": (lambda d: operation(d, "GET", USER).update(responses={"2XX": {}}), NONE),
    "only one of two responses has a field": (
        lambda d: response(d, SUBSCRIPTIONS, "200", "POST")["properties"].pop("title"),
        NONE,
    ),
    "a field with the name of a note of this server is removed": (
        lambda d: [response(d, PASSWORDS, status, "POST")["properties"].pop("note") for status in ("200", "201")],
        [("session-recordings-sharing-passwords-create", "misleads", "result.note")],
    ),
    "the response is not described": (lambda d: operation(d, "GET", USER)["responses"]["200"].clear(), NONE),
    "the response has any form": (lambda d: response(d, USER).pop("properties"), NONE),
    "no response is described": (lambda d: operation(d, "GET", USER).pop("responses"), NONE),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_document_is_reported_once_with_its_rank(name: str) -> None:
    content = document()
    change, expected = CHANGES[name]
    change(content)
    assert differences(content) == expected


def test_a_part_of_an_argument_is_compared_like_an_argument() -> None:
    tool = nested_tool({"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}})
    content = derived_document([tool])
    documented = body(content, tool.endpoint.path)["properties"]["part"]
    documented["properties"] = {"name": {"type": "integer"}, "color": {}}
    assert differences(content, {tool.name: tool}) == [
        (tool.name, "breaks", "arguments.part.name.type"),
        (tool.name, "misleads", "arguments.part.size"),
        (tool.name, "new", "arguments.part.color"),
    ]


def test_a_whole_number_is_a_number_in_a_result() -> None:
    tool = nested_tool({"type": "string"})
    content = derived_document([tool])
    response(content, tool.endpoint.path, method="POST")["properties"]["size"]["type"] = "integer"
    assert differences(content, {tool.name: tool}) == []


def test_an_operation_that_is_only_a_fallback_is_not_new() -> None:
    content = document()
    content["paths"] = {SUBSCRIPTION: {name: content["paths"][SUBSCRIPTION][name] for name in ("delete", "patch")}}
    assert differences(content, {DESTROY: CATALOG[DESTROY]}) == []


def nested_tool(part: Content) -> Declaration:
    return Declaration.model_validate(
        {
            "name": "parts-create",
            "title": "Create a part",
            "description": "Create a part.",
            "annotations": dict.fromkeys(("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"), False),
            "inputSchema": {"type": "object", "properties": {"part": part}, "additionalProperties": False},
            "outputSchema": {"type": "object", "properties": {"size": {"type": "number"}}},
            "documented": {
                "color": "Only a parameter of this name is not offered on purpose, and no part of another one."
            },
            "endpoint": {"method": "POST", "path": "/api/parts/", "scope": "part:write"},
        }
    )


def test_a_draft_has_no_difference_from_its_document(tmp_path: Path) -> None:
    parsed = Document(document(), "document.json")
    for operation in parsed.operations.values():
        content = {**draft(parsed, operation), "review": []}
        (tmp_path / f"{content['name']}.json").write_text(json.dumps(content), "utf-8")
    catalog = dict(load(str(tmp_path)))
    # The drafts have the names of the shipped tools, and replace them.
    assert catalog.keys() == CATALOG.keys()
    # A draft has its own pattern for a value in a path.
    assert {key for _, _, key in differences(document(), catalog)} == {"arguments.uuid.pattern"}


def test_an_operation_without_an_id_or_with_that_of_another_one_is_compared_too() -> None:
    expected = differences(document(), CATALOG)
    changed = document()
    operations = [part for item in changed["paths"].values() for part in item.values() if isinstance(part, dict)]
    for index, operation in enumerate(operations):
        del operation["operationId"]
        if index % 2:
            operation["operationId"] = "same"
    assert differences(changed, CATALOG) == expected


# Accepted differences.


def findings(entry: dict[str, str], change: Callable[[Content], object]) -> list[Finding]:
    """Compare `users-list`, which accepts a difference, with a changed document."""
    tool = CATALOG["users-list"].model_copy(update={"drift": (AcceptedDifference.model_validate(entry),)})
    content = derived_document([tool])
    change(content)
    return compare({tool.name: tool}, Document(content, "document.json"))


def add_color(content: Content) -> None:
    add_parameter(content, USERS)


@pytest.mark.parametrize("key", ["arguments.color", "arguments.*", "*"])
def test_an_accepted_difference_keeps_its_reason(key: str) -> None:
    [finding] = findings({"difference": key, "reason": "Nobody needs it."}, add_color)
    assert finding.accepted is not None
    assert finding.accepted.reason == "Nobody needs it."
    assert finding.difference.key == "arguments.color"


def test_a_difference_with_another_name_is_not_accepted() -> None:
    accepted = [finding.accepted for finding in findings({"difference": "color", "reason": "No."}, add_color)]
    assert accepted == [None, None]


def test_an_accepted_difference_that_does_not_exist_is_reported() -> None:
    [finding] = findings({"difference": "arguments.color", "reason": "No."}, lambda _: None)
    assert (finding.difference.rank, finding.difference.key) == ("misleads", "drift.arguments.color")
    assert finding.accepted is None


def test_an_accepted_difference_of_some_versions_may_be_absent() -> None:
    entry = {"difference": "arguments.color", "reason": "No.", "versions": "some"}
    assert findings(entry, lambda _: None) == []


def test_nothing_is_said_about_the_accepted_differences_of_a_removed_operation() -> None:
    entry = {"difference": "arguments.color", "reason": "No."}
    assert [found.difference.key for found in findings(entry, lambda d: d["paths"].clear())] == ["operation"]


@pytest.mark.parametrize("entry", [{"reason": ""}, {"reason": " "}, {}, {"reason": "No.", "difference": ""}])
def test_an_accepted_difference_needs_a_name_and_a_reason(entry: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"reason|difference"):
        AcceptedDifference.model_validate({"difference": "scope", **entry})


# Documents that are wrong.

JUNK: list[Any] = [None, True, 0, -1.5, "text", [], [None], {}, {"$ref": "#/paths"}, [[]], {"type": []}]


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container of a document with each of its keys."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def test_a_document_with_wrong_values_is_compared_or_refused_with_a_reason() -> None:
    random, text = Random(19), json.dumps(document())
    count = sum(1 for _ in places(json.loads(text)))
    outcomes = {"compared": 0, "refused": 0}
    for index in random.sample(range(count), 150):
        content = json.loads(text)
        container, key = list(places(content))[index]
        container[key] = random.choice(JUNK)
        try:
            compare(DECLARED, Document(content, "document.json"))
            outcomes["compared"] += 1
        except ConfigurationError as error:
            assert "document.json" in str(error)
            outcomes["refused"] += 1
    assert outcomes["compared"] > 100


@pytest.mark.parametrize("path", DOCUMENTS or [""], ids=lambda path: Path(path).stem)
def test_the_shipped_tools_differ_from_a_document_of_the_api_only_in_what_is_new(path: str) -> None:
    if not path:
        pytest.skip("CONTRACT is not set")
    content = json.loads(Path(path).read_text("utf-8"))
    assert {rank for _, rank, _ in differences(content, dict(DECLARED))} <= {"new"}
