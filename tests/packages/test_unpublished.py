"""Before the first release, nothing that is shipped or documented lets a program look up the package name on PyPI."""

from __future__ import annotations

import base64
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from core13_mcp import identity

from .release import release_files

ROOT = Path(__file__).parents[2]

# What users read or run. CHANGELOG.md describes the past, and tests install nothing.
PLACES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "docs", "packages", "plugins", ".claude-plugin", "deploy", "core13_mcp",
          "tools", "scripts", "bench")  # fmt: skip
FILES = [
    file
    for place in PLACES
    for file in ([ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*")))
    if file.is_file() and file.suffix not in (".pyc", ".whl")
]

# A program that looks up names, and later on the line the name, which is neither a path nor a command of the project.
BY_NAME = re.compile(
    r"""\b(?:uvx|uv\ (?:add|run|tool|pip)|pipx|pip3?\ (?:install|download|wheel)|conda|docker\ pull|npx)\b
        (?![^\n]*--from)[^\n;&|]*?[\s'"`=](?:core13[-_]mcp)(?=[@=<>~!\[\s'"`,]|$)""",
    re.VERBOSE,
)
DEPENDENCY = re.compile(r"""["']core13[-_]mcp(?:\[[^]]*\])?\s*[@=<>~!]""")


def lookups(text: str) -> list[str]:
    """Return the parts of a text that let a program look up the name; also in links, which encode their content."""
    links = re.findall(r"[?&](?:config|inputs)=([\w%+/=-]+)|vscode:mcp/install\?(\S+)", text)
    decoded = [unquote(part) for link in links for part in link if part]
    decoded += [base64.b64decode(part, validate=False).decode("utf-8", "ignore") for part in decoded if "{" not in part]
    # Lists of arguments as one line.
    lines = re.sub(r",\s*", ", ", "\n".join([text, *decoded]))
    return [match[0] for pattern in (BY_NAME, DEPENDENCY) for match in pattern.finditer(lines)]


@pytest.mark.skipif(identity.PUBLISHED, reason="the package is published")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_file_lets_a_program_look_up_the_name(file: Path) -> None:
    text = file.read_text("utf-8", "replace")
    found = lookups(text)
    if file.name == "pyproject.toml":
        # uv takes the package from the wheel in the bundle, and fails without it.
        sources = tomllib.loads(text)["tool"]["uv"]["sources"]["core13-mcp"]
        assert set(sources) == {"path"}
        found = [match for match in found if match != '"core13-mcp=']
    if file.name == "packages.py":
        # The generator for the time after the release, which the test below covers.
        found = []
    assert found == []


def test_the_search_finds_every_file_of_the_release_that_uses_the_name() -> None:
    found = {path for path, text in release_files().items() if lookups(text) or '"identifier": "core13-mcp"' in text}
    assert found == {
        "packages/links.md",
        "packages/mcpb-uvx/manifest.json",
        "packages/mcpb/pyproject.toml",
        "packages/server.json",
        "plugins/c13/.claude-plugin/plugin.json",
        "plugins/c13/.codex-plugin/plugin.json",
        "plugins/c13/mcp.json",
    }


@pytest.mark.parametrize(
    "text",
    [
        "uvx core13-mcp@0.1.0 serve",
        "pip install 'core13-mcp[otel]'",
        "run `pipx install core13-mcp`",
        "uv tool install core13-mcp==0.1.0",
        '"command": "uvx", "args": [\n  "core13-mcp@0.1.0"]',
    ],
)
def test_the_search_finds_commands(text: str) -> None:
    assert lookups(text)


@pytest.mark.parametrize(
    "text", ["pip install .", "pip install -e '.[test]'", "core13-mcp serve", "uvx --from ./x.whl core13-mcp"]
)
def test_the_search_accepts_commands_without_the_name(text: str) -> None:
    assert lookups(text) == []
