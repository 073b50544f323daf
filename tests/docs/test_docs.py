"""The links and JSON examples of the documentation are valid. `scripts/docs.py --check` runs its commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core13_mcp.cli import parser
from core13_mcp.declarations.files import read_server_file
from core13_mcp.setup.clients import CLIENTS

from ..evals.tasks import load_tasks

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *sorted(DOCS.rglob("*.md")), *ROOT.glob("*/README.md"), *(ROOT / "tests").rglob("*.md")]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_points_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|cursor:|vscode:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_json_block_is_valid_json() -> None:
    for page in PAGES:
        for block in blocks(page, "json"):
            json.loads(block)


def test_the_index_links_every_page() -> None:
    links = set(re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "README.md").read_text("utf-8")))
    assert links == {page.name for page in DOCS.glob("*.md")} - {"README.md"}


def test_the_readme_starts_with_the_demo_and_the_tests() -> None:
    first, second, *_ = blocks(README, "sh")
    assert first.splitlines()[-1].endswith(" && core13-mcp demo")
    assert second.splitlines()[-1] == ".venv/bin/python -m pytest -n auto"


def test_the_readme_uses_commands_and_settings_that_exist() -> None:
    commands = re.findall(r"core13-mcp ([^&\n]*)", "".join(blocks(README, "sh") + blocks(README, "bash")))
    assert len(commands) >= 3
    for command in commands:
        assert parser.parse(command.split())
    (configuration,) = blocks(README, "json")
    server = json.loads(configuration)["mcpServers"]["core13-mcp"]
    assert parser.parse(server["args"]).command == "serve"


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 120


def test_every_request_of_the_readme_is_a_task_of_the_evals() -> None:
    tools = {task.goal: {call.tool for call in task.calls} for task in load_tasks()}
    requests = read_server_file("requests.json")
    assert [request for request in requests if tools.get(request["text"]) != {*request["tools"]}] == []
    assert len(requests) == 10


def test_the_installation_page_shows_the_entry_of_every_client() -> None:
    commands = "".join(blocks(DOCS / "install.md", "sh"))
    assert [client for client in CLIENTS if f"core13-mcp install {client} --print\n" not in commands] == []
