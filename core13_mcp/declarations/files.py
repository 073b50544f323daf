"""Reads declarations as plain JSON. Standard library only, because the fast start of stdio uses it."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..settings import Settings
from ..text import did_you_mean, suggestions
from .directory import builtin_dir, read_folder

# The keys of a declaration and of a prompt that MCP clients receive, spelled as MCP spells them.
MCP_KEYS = ("name", "title", "description", "annotations", "inputSchema", "outputSchema")
PROMPT_KEYS = ("name", "title", "description", "arguments")

# The argument that `read_declarations` adds to a tool that a person can confirm through the conversation.
CONFIRMATION = "confirmation"
CONFIRMATION_SCHEMA = {"type": "string", "description": "Code from a refusal."}

_LIST = "`core13-mcp tools` lists the tools."

# The names of this server's own statements in a result.
OWN_NAMES = frozenset({"done", "note", "omitted", "next_offset"})


def read_server_file(name: str) -> Any:
    """Return the content of a file in tools/server/, such as `instructions.json`."""
    return json.loads((builtin_dir() / "server" / name).read_text("utf-8"))


def enabled_prompts(tools: Container[str]) -> list[dict[str, Any]]:
    """Return the content of each prompt that uses only these tools."""
    return _enabled("prompts.json", tools)


def enabled_requests(tools: Container[str]) -> list[str]:
    """Return each example of what a person can ask that uses only these tools."""
    return [request["text"] for request in _enabled("requests.json", tools)]


def _enabled(name: str, tools: Container[str]) -> list[dict[str, Any]]:
    return [entry for entry in read_server_file(name) if all(tool in tools for tool in entry["tools"])]


def read_declarations(extra_dir: str | None = None) -> dict[str, Any]:
    """Return the content of every declaration by file name without suffix, in alphabetical order.

    References are replaced by the fields that they name. The content is not validated. Declarations in `extra_dir`
    replace built-in ones with the same file name.

    Raises:
        ConfigurationError: `extra_dir` cannot be read.
        DeclarationError: A file cannot be read, or one of its references cannot be replaced.
    """
    folders = [builtin_dir(), *([Path(extra_dir)] if extra_dir else [])]
    declarations = dict(pair for folder in folders for pair in read_folder(folder))
    return {name: with_confirmation(declarations[name]) for name in sorted(declarations)}


def with_confirmation(declaration: Any) -> Any:
    """Return a declaration with the argument `confirmation`, if one of its confirmations has the level `ask`.

    A declaration that is not valid, or has such an argument already, is returned unchanged.
    """
    match declaration:
        case {"confirm": list(confirms), "inputSchema": {"properties": dict(properties)} as schema}:
            levels = [confirm.get("level") for confirm in confirms if isinstance(confirm, dict)]
            if "ask" in levels and CONFIRMATION not in properties:
                extended = {**properties, CONFIRMATION: CONFIRMATION_SCHEMA}
                return {**declaration, "inputSchema": {**schema, "properties": extended}}
    return declaration


def enabled_names(read_only: Mapping[str, bool], settings: Settings) -> list[str]:
    """Return the names of the tools that the settings enable; `read_only` has the `readOnlyHint` of every tool.

    Raises:
        ConfigurationError: A name or glob in the settings matches no tool.
    """
    for variable, globs in (("CORE13_TOOLS", settings.tools), ("CORE13_EXCLUDE_TOOLS", settings.exclude_tools)):
        for glob in globs:
            if not any(fnmatchcase(name, glob) for name in read_only):
                raise ConfigurationError(f"{variable}: {glob!r} matches no tool", _LIST)
    return [name for name in read_only if not _disabling_variable(name, read_only[name], settings)]


def check_enabled(name: str, annotations: Mapping[str, Mapping[str, bool]], settings: Settings) -> None:
    """Check that a tool exists and is enabled; `annotations` has the annotations of every tool.

    The message suggests no tool that reaches people. A person could call it only because it was suggested.

    Raises:
        ConfigurationError: There is no such tool, or a setting disables it.
    """
    if name not in annotations:
        harmless = [other for other in suggestions(name, annotations) if not annotations[other]["openWorldHint"]]
        raise ConfigurationError(f"there is no tool {name!r}", did_you_mean(name, harmless) or _LIST)
    if variable := _disabling_variable(name, annotations[name]["readOnlyHint"], settings):
        raise ConfigurationError(f"{name} is disabled by {variable}", "Change this setting to enable it.")


def _disabling_variable(name: str, is_read_only: bool, settings: Settings) -> str | None:
    if settings.read_only and not is_read_only:
        return "CORE13_READ_ONLY"
    if settings.tools and not _matches(name, settings.tools):
        return "CORE13_TOOLS"
    return "CORE13_EXCLUDE_TOOLS" if _matches(name, settings.exclude_tools) else None


def enabled_declarations(declarations: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the declarations that the settings enable, without the project argument if the project is fixed."""
    read_only = {name: content["annotations"]["readOnlyHint"] for name, content in declarations.items()}
    enabled = {name: declarations[name] for name in enabled_names(read_only, settings)}
    return {name: without_project(content) for name, content in enabled.items()} if settings.project_id else enabled


def without_project(declaration: dict[str, Any]) -> dict[str, Any]:
    """Return a declaration without its project argument, for a server with a fixed project."""
    if not declaration.get("project"):
        return declaration
    argument, schema = declaration["project"]["argument"], declaration["inputSchema"]
    properties = {name: part for name, part in schema["properties"].items() if name != argument}
    note = {argument: "This server works on one project only; leave it out."}
    documented = {**declaration.get("documented", {}), **note}
    return {**declaration, "inputSchema": {**schema, "properties": properties}, "documented": documented}


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
