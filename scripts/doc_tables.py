"""The tables and lists of the documentation that follow from data, such as tools, settings and clients."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.files import read_server_file
from core13_mcp.declarations.model import Declaration
from core13_mcp.identity import NAME, PUBLISHED
from core13_mcp.options import Option
from core13_mcp.sandbox.eras import DIFFERENCES, Difference
from core13_mcp.settings import OPTIONS
from core13_mcp.setup.client import Client
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import Secret
from core13_mcp.setup.environment import Environment

SYSTEMS = ("linux", "darwin", "win32")


def generate() -> dict[str, str]:
    """Every table by the name in its marker."""
    return {
        "release": _release(),
        "requests": "".join(f"- {request['text']}\n" for request in read_server_file("requests.json")),
        "client names": ", ".join(f"`{name}`" for name in CLIENTS) + ".\n",
        "tools in short": table("tool | what it does | confirmation", map(_short_tool, load().values())),
        "tools": table("tool | what it does | scope | confirmation", map(_tool, load().values())),
        "variables": _variables(serving=False),
        "variables of serve --http": _variables(serving=True),
        "keys": table("client | where the API key is stored | after `install`", map(_key, CLIENTS.values())),
        "files": table("client | scope | file", (row for client in CLIENTS.values() for row in _files(client))),
        "eras": table("behaviour | `page` | `today`", map(_difference, DIFFERENCES.values())),
    }


def table(head: str, rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table. Vertical bars in cells are escaped."""
    escaped = ([str(cell).replace("|", "\\|") for cell in row] for row in rows)
    lines = [f"| {head} |", "|---" * len(head.split("|")) + "|", *(f"| {' | '.join(row)} |" for row in escaped)]
    return "\n".join(lines) + "\n"


def _release() -> str:
    if PUBLISHED:
        return f"The package is on PyPI: `pip install {NAME}`.\n"
    return "The package is not on PyPI yet, so install it from a clone.\n"


def _short_tool(tool: Declaration) -> tuple[str, ...]:
    return f"[`{tool.name}`](docs/tools/{tool.name}.md)", tool.title, _confirmation(tool)


def _tool(tool: Declaration) -> tuple[str, ...]:
    scope = f"`{tool.endpoint.scope}`" if tool.endpoint.scope else "none: needs a login session"
    return f"[`{tool.name}`](tools/{tool.name}.md)", tool.title, scope, _confirmation(tool)


def _confirmation(tool: Declaration) -> str:
    levels = {confirm.level for confirm in tool.confirm}
    when = ", for some arguments" if any(confirm.when for confirm in tool.confirm) else ""
    return ("form" if "require" in levels else "form or code" if levels else "") + when


def _variables(serving: bool) -> str:
    options = [option for option in OPTIONS if option.serve_only is serving]
    return table("variable | flag | meaning | default", map(_variable, options))


def _variable(option: Option) -> tuple[str, ...]:
    default = f"`{option.default}`" if option.default else "off" if option.is_flag else ""
    return f"`{option.variable}`", "" if option.secret else f"`{option.flag}`", option.help, default


def _key(client: Client) -> tuple[str, ...]:
    reference = Secret().variable if client.env_names_field else Secret().reference(client)
    if client.prompts:
        place = f"`{reference}`: {client.title} asks once and stores the key in the system's key store"
    elif reference:
        place = f"`{reference}`: set the variable where {client.title} is started"
    else:
        place = "in the file: `install` asks for the key"
    return f"{client.title} (`{client.name}`)", place, client.next_step


def _files(client: Client) -> Iterable[tuple[str, ...]]:
    """A row for each scope. The first scope is the default."""
    for scope in client.files:
        paths = dict.fromkeys(str(client.config_file(_environment(system), scope).path) for system in SYSTEMS)
        yield client.title, f"`{scope}`", ", ".join(f"`{path}`" for path in paths)


def _environment(system: str) -> Environment:
    return Environment(platform=system, home=Path("~"), variables={"APPDATA": "%APPDATA%"}, cwd=Path("."))


def _difference(difference: Difference) -> tuple[str, ...]:
    return difference.text, _shown(difference.page), _shown(difference.today)


def _shown(value: object) -> str:
    """A value of an era, as a cell of a table."""
    if isinstance(value, tuple):
        return ", ".join(f"`{name}`" for name in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"`{value}`"
