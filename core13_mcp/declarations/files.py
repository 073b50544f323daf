"""Reads declarations as plain JSON. Standard library only, because the fast start of stdio uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigurationError, DeclarationError

# The keys of a declaration that MCP clients receive, spelled as MCP spells them.
MCP_KEYS = ("name", "title", "description", "annotations", "inputSchema", "outputSchema")


class ToolFilter(NamedTuple):
    """Decides which tools are enabled.

    `include` and `exclude` hold tool names or globs. An empty `include` enables every tool. `exclude` wins.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    read_only: bool = False

    def is_enabled(self, name: str, changes_nothing: bool) -> bool:
        """Return whether a tool is enabled; `changes_nothing` is its `readOnlyHint`."""
        included = not self.include or _matches(name, self.include)
        return included and not _matches(name, self.exclude) and (changes_nothing or not self.read_only)

    def check(self, names: Iterable[str]) -> None:
        """Check that every name or glob matches one of the tools.

        Raises:
            ConfigurationError: One matches none.
        """
        names = tuple(names)
        for glob in (*self.include, *self.exclude):
            if not any(_matches(name, (glob,)) for name in names):
                raise ConfigurationError(
                    f"CORE13_TOOLS or CORE13_EXCLUDE_TOOLS: {glob!r} matches no tool",
                    "`core13-mcp tools` lists the tools.",
                )


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def builtin_dir() -> Path:
    """Return the tools/ directory: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).parents[1] / "tools"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "tools"


def read_server_file(name: str) -> Any:
    """Return the content of `instructions.json` or `prompts.json` in tools/server/."""
    return json.loads((builtin_dir() / "server" / name).read_text("utf-8"))


def read_declarations(extra_dir: str | None = None) -> dict[str, Any]:
    """Return the content of every declaration by file name without suffix, in alphabetical order.

    References are replaced by the fields that they name. The content is not validated.

    Args:
        extra_dir: A directory with more declarations. They replace built-in ones with the same file name.

    Raises:
        ConfigurationError: `extra_dir` cannot be read.
        DeclarationError: A file is not JSON, or has a reference to a field that does not exist.
    """
    folders = [builtin_dir(), *([Path(extra_dir)] if extra_dir else [])]
    declarations = dict(pair for folder in folders for pair in _read_folder(folder))
    return {name: declarations[name] for name in sorted(declarations)}


def enabled_declarations(declarations: dict[str, Any], tool_filter: ToolFilter, fixed_project: bool) -> dict[str, Any]:
    """Return the enabled declarations, without the project argument if the server has a fixed project.

    Raises:
        ConfigurationError: A name or glob of the filter matches no tool.
    """
    tool_filter.check(declarations)
    return {
        name: without_project(content) if fixed_project else content
        for name, content in declarations.items()
        if tool_filter.is_enabled(name, content["annotations"]["readOnlyHint"])
    }


def without_project(declaration: dict[str, Any]) -> dict[str, Any]:
    """Return a declaration without its project argument, for a server with a fixed project."""
    if not declaration.get("project"):
        return declaration
    argument = declaration["project"]["argument"]
    schema = declaration["inputSchema"]
    properties = {name: part for name, part in schema["properties"].items() if name != argument}
    return {**declaration, "inputSchema": {**schema, "properties": properties}}


def inline(node: Any, resolve: Callable[[str], Any]) -> Any:
    """Replace every `$ref` by the value that it names; keys beside the `$ref` override keys of that value.

    MCP clients and model providers reject references, so a declaration must not contain any.
    """
    match node:
        case {"$ref": str(reference), **siblings}:
            target = inline(resolve(reference), resolve)
            return {**target, **inline(siblings, resolve)} if siblings else target
        case dict():
            return {key: inline(value, resolve) for key, value in node.items()}
        case list():
            return [inline(value, resolve) for value in node]
        case _:
            return node


def _read_folder(folder: Path) -> Iterator[tuple[str, Any]]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".json")
    except OSError as error:
        raise ConfigurationError(
            f"CORE13_TOOLS_DIR: {folder} cannot be read: {error.strerror}", "Name a directory of declarations."
        ) from None
    read_fields = cache(partial(_read_fields, folder))
    for file in files:
        try:
            yield file.stem, inline(json.loads(file.read_text("utf-8")), partial(_resolve, read_fields))
        except (ValueError, OSError, RecursionError) as error:
            raise DeclarationError(f"tools/{file.name}: {error}") from None


def _resolve(read_fields: Callable[[str], Any], reference: str) -> Any:
    path, _, name = reference.partition("#/")
    fields = read_fields(path)
    if name not in fields:
        raise ValueError(f"the $ref {reference!r} names a field that does not exist")
    return fields[name]


def _read_fields(folder: Path, path: str) -> Any:
    """Read a file of shared fields from the directory itself, or else from the built-in one."""
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"the $ref to {path!r} is outside the directory")
    own = folder / path
    return json.loads((own if own.is_file() else builtin_dir() / path).read_text("utf-8"))
