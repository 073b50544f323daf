"""Writes the tables of README.md that are told elsewhere: the tools by tools/, the variables by core13_mcp/options.py.

`python scripts/readme.py` writes them; `--check` only says whether they differ, and exits with 1 if so.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.options import OPTIONS, Option

README = Path(__file__).parents[1] / "README.md"
_ASKED = {
    frozenset({"ask"}): "asked",
    frozenset({"require"}): "must agree",
    frozenset({"ask", "require"}): "must agree",
}


def tools() -> str:
    """A row for each tool."""
    head = "| tool | does | scope of the key | the person is |\n|---|---|---|---|\n"
    return head + "".join(map(_tool, load().values()))


def _tool(tool: Declaration) -> str:
    asked = _ASKED.get(frozenset(confirm.level for confirm in tool.confirm), "")
    sometimes = ", sometimes" if any(confirm.when for confirm in tool.confirm) else ""
    scope = f"`{tool.endpoint.scope}`" if tool.endpoint.scope else "a login session instead"
    return f"| [`{tool.name}`](docs/tools/{tool.name}.md) | {tool.title} | {scope} | {asked}{sometimes} |\n"


def variables(serving: bool) -> str:
    """A row for each variable, of those that only `serve --http` reads or of the others."""
    head = "| variable | flag | means | default |\n|---|---|---|---|\n"
    return head + "".join(_variable(option) for option in OPTIONS if option.serve_only is serving)


def _variable(option: Option) -> str:
    flag = "" if option.secret else f"`{option.flag}`"
    default = f"`{option.default}`" if option.default else "off" if option.is_flag else ""
    return f"| `{option.variable}` | {flag} | {option.help.replace('|', chr(92) + '|')} | {default} |\n"


def written(text: str) -> str:
    """The page with its tables as they should be."""
    parts = {"tools": tools(), "variables": variables(False), "variables of serve --http": variables(True)}
    for name, table in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text, found = re.subn(pattern, lambda match, table=table: match[1] + table + match[2], text, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"README.md: the markers of the table {name!r} are missing")
    return text


def main() -> int:
    """Write or compare."""
    text = README.read_text("utf-8")
    wanted = written(text)
    if "--check" not in sys.argv:
        README.write_text(wanted, "utf-8")
    return int("--check" in sys.argv and wanted != text)


if __name__ == "__main__":
    sys.exit(main())
