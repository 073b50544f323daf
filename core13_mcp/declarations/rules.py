"""The rules that every declaration follows, beyond the model that it must match to load.

A declaration that breaks a rule loads, but some client rejects it, or its results mislead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..identity import NAME
from ..jsonio import compact_json
from ..text import did_you_mean
from .catalog import Catalog
from .model import Declaration
from .problems import Problem
from .schema import Schema
from .schema_rules import boolean_schemas, schema_problems
from .template_rules import template_problems

# Cursor joins the names of server and tool, and Claude Code puts `mcp__` and `__` around them.
MAX_NAME_LENGTH = min(60 - len(NAME), 64 - len(f"mcp__{NAME}__"))
MAX_TITLE_LENGTH, MAX_DESCRIPTION_LENGTH = 60, 1024

# Texts that would lead a request to another path.
PATH_BREAKERS = (
    "",
    ".",
    "..",
    "/",
    "a/b",
    "..%2F",
    "?",
    "a?b=c",
    "#",
    "a#b",
    ";",
    "\\",
    "a b",
    "\n",
    "\x00",
    "@me/",
    "é",
)

# Words that a model takes for an order of its operator.
_ORDERS = re.compile(r"\bYou (must|MUST)\b|\b(ALWAYS|NEVER|IMPORTANT)\b")

_HINT_KEY = re.compile(r"unknown|4\d\d( field)?( [a-z_]+)?")


def rule_problems(tool: Declaration, catalog: Catalog) -> list[Problem]:
    """Return every problem of a declaration. The catalog has the other tools that it can refer to."""
    problems = [
        *boolean_schemas(tool.input_schema, "inputSchema"),
        *boolean_schemas(tool.output_schema, "outputSchema"),
    ]
    if problems:
        return problems
    rules = (_text_problems, schema_problems, _argument_problems, _annotation_problems, _path_problems, _effect_problems,
             _hint_problems, _secret_problems)  # fmt: skip
    problems = [problem for rule in rules for problem in rule(tool)]
    return [*problems, *template_problems(tool, catalog)]


def _text_problems(tool: Declaration) -> Iterator[Problem]:
    for key, text, limit in (
        ("name", tool.name, MAX_NAME_LENGTH),
        ("title", tool.title, MAX_TITLE_LENGTH),
        ("description", tool.description, MAX_DESCRIPTION_LENGTH),
    ):
        if len(text) > limit:
            yield Problem(key, f"it has {len(text)} characters, and clients accept {limit}", "Shorten it.")
    if not tool.description.endswith("."):
        yield Problem("description", "it does not end with a period", "Write sentences.")
    if tool.title.endswith("."):
        yield Problem("title", "it ends with a period", "Write a phrase such as List insights.")
    definition = tool.to_mcp()
    for key, part in definition.items():
        text = compact_json(part)
        if not text.isascii():
            yield Problem(key, "it has characters outside ASCII", "Use ASCII, or move the text to another key.")
        if order := _ORDERS.search(text):
            yield Problem(key, f"{order[0]!r} reads like an order to the model", "State what the tool does.")


def _argument_problems(tool: Declaration) -> Iterator[Problem]:
    for name, schema in tool.arguments.items():
        key = f"inputSchema.properties.{name}"
        if not str(schema.get("description", "")).endswith("."):
            yield Problem(f"{key}.description", "there is no description that ends with a period", "Write sentences.")
        if "default" not in schema:
            continue
        if not Schema(schema).is_valid(schema["default"]):
            yield Problem(f"{key}.default", "the schema of the argument does not accept it", "Correct one of the two.")
        if tool.endpoint.method == "PATCH" and name not in (*tool.endpoint.placeholders, "detail"):
            fix = "Remove it. An update changes only what a call names."
            yield Problem(f"{key}.default", "every update would send it", fix)
    for name in tool.arguments.keys() & tool.documented.keys():
        yield Problem(f"documented.{name}", "it is an argument of the tool", "Remove one of the two.")


def _annotation_problems(tool: Declaration) -> Iterator[Problem]:
    hints, method, scope = tool.annotations, tool.endpoint.method, tool.endpoint.scope
    checks = [
        ("readOnlyHint", hints.read_only_hint and method != "GET", f"a {method} request can change something"),
        ("readOnlyHint", hints.read_only_hint and bool(scope and scope.endswith(":write")), "the scope permits writes"),
        ("readOnlyHint", _reads(tool.name) and not hints.read_only_hint, "the name is that of a tool that reads"),
        ("destructiveHint", hints.read_only_hint and hints.destructive_hint, "a tool that reads destroys nothing"),
        ("openWorldHint", hints.read_only_hint and hints.open_world_hint, "a tool that reads reaches nobody"),
        ("idempotentHint", hints.read_only_hint and not hints.idempotent_hint, "a repeated read changes nothing"),
        ("destructiveHint", method in ("PATCH", "DELETE") and not hints.destructive_hint, f"a {method} overwrites"),
        ("idempotentHint", method == "DELETE" and not hints.idempotent_hint, "a repeated DELETE changes nothing more"),
    ]
    for name, is_wrong, reason in checks:
        if is_wrong:
            value = "false" if getattr(hints, _FIELDS[name]) else "true"
            yield Problem(f"annotations.{name}", reason, f"The correct value is {value}.")
    if (scope is None) != (tool.endpoint.auth == "session"):
        fix = 'Add the scope, such as insight:read, or set auth to "session" if the endpoint accepts no API key.'
        yield Problem("endpoint.scope", "an endpoint has either a scope or the auth session", fix)
    if tool.endpoint.fallback and not tool.repeatable:
        yield Problem("endpoint.fallback", "the second request repeats a write", "Remove it, or set idempotentHint.")


_FIELDS = {
    "readOnlyHint": "read_only_hint",
    "destructiveHint": "destructive_hint",
    "idempotentHint": "idempotent_hint",
    "openWorldHint": "open_world_hint",
}


def _reads(name: str) -> bool:
    return name.endswith(("-list", "-retrieve"))


def _path_problems(tool: Declaration) -> Iterator[Problem]:
    required = set(tool.input_schema.get("required", ()))
    project = {tool.project.argument} if tool.project else set()
    for name in tool.endpoint.placeholders:
        key, schema = f"inputSchema.properties.{name}", tool.arguments.get(name, {})
        if name not in required | project and "default" not in schema:
            yield Problem("inputSchema.required", f"{name} is in the path and can be absent", f"Add {name}.")
        if any(map(Schema(schema).is_valid, PATH_BREAKERS)):
            fix = 'Use the type integer, or a pattern such as "^[A-Za-z0-9_-]{1,200}$".'
            yield Problem(f"{key}.pattern", "a value can have characters that change the path, such as / and ?", fix)
    for name in project - set(tool.endpoint.placeholders):
        yield Problem("project.argument", f"the path has no placeholder {{{name}}}", "Name the one of the project.")
    body = tool.endpoint.body_argument
    if body and body not in required:
        fix = did_you_mean(body, tool.arguments) or f"Add {body} to inputSchema.required."
        yield Problem("endpoint.body_argument", f"{body} is not a required argument", fix)


def _effect_problems(tool: Declaration) -> Iterator[Problem]:
    properties: dict[str, Any] = tool.output_schema.get("properties", {})
    if not tool.read_only and not tool.done:
        fix = 'Add a note such as [{"message": "The insight is deleted."}].'
        yield Problem("done", "a write does not state its effect", fix)
    if properties and bool(tool.done) != ("done" in properties):
        fix = 'Declare both or neither. The property is {"type": "string"}.'
        yield Problem("outputSchema.properties.done", "`done` and this property belong together", fix)
    if tool.read_only and tool.confirm:
        yield Problem("confirm", "a tool that reads asks a person", "Remove it.")


def _hint_problems(tool: Declaration) -> Iterator[Problem]:
    for key in tool.hints:
        if not _HINT_KEY.fullmatch(key):
            fix = 'Use a status such as "404", "400 CODE", "400 field NAME", or "unknown".'
            yield Problem(f"hints.{key}", "no error of the API has this key", fix)
    if "unknown" not in tool.hints and not tool.repeatable:
        fix = "State how to find out whether the write was applied, such as with a list tool."
        yield Problem("hints.unknown", "the key is missing, and the write is never repeated", fix)
    if "unknown" in tool.hints and tool.repeatable:
        yield Problem("hints.unknown", "a repeatable request has no unknown outcome", "Remove it.")
    if "403" not in tool.hints:
        fix = 'Add a hint, such as "The credentials or their owner have no access, or {scope} is missing."'
        yield Problem("hints.403", "the key is missing", fix)
    if "404" not in tool.hints and tool.endpoint.placeholders:
        yield Problem(
            "hints.404", "the key is missing, and the path has placeholders", "State where the ids come from."
        )


def _secret_problems(tool: Declaration) -> Iterator[Problem]:
    names = {*tool.arguments, *tool.output_schema.get("properties", {}), *tool.documented}
    for name in sorted(tool.secrets - names):
        fix = did_you_mean(name, names) or "Name an argument or a property of the result."
        yield Problem("secrets", f"{name} is neither an argument nor a property", fix)
    for name, schema in tool.arguments.items():
        if schema.get("type") == "string" and "password" in name and name not in tool.secrets:
            yield Problem("secrets", f"the argument {name} is not in the list", f"Add {name}.")
