"""The front page says what is so: its tables, its links, its two commands and its configurations."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core13_mcp.cli import parser as grammar
from core13_mcp.options import CLIENTS, OPTIONS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for spoken, text in BLOCKS if spoken == language]


def test_the_tables_are_those_of_the_declarations_and_the_options() -> None:
    ran = subprocess.run([sys.executable, "scripts/readme.py", "--check"], cwd=ROOT, timeout=60, check=False)
    assert ran.returncode == 0, "run scripts/readme.py"


def test_the_first_command_plays_the_story_and_the_second_runs_the_tests() -> None:
    first, second, *_ = blocks("sh")
    assert first.splitlines()[-1] == ".venv/bin/core13-mcp demo"
    assert second.splitlines()[-1] == ".venv/bin/python -m pytest"


def test_every_command_of_the_page_can_be_spoken() -> None:
    for block in blocks("sh"):
        for words in re.findall(r"bin/core13-mcp (.*)", block):
            assert grammar.parse(words.split())


@pytest.mark.parametrize("text", blocks("json"))
def test_every_configuration_starts_this_server_with_settings_that_exist(text: str) -> None:
    server = json.loads(text)["mcpServers"]["core13-mcp"]
    assert Path(server["command"]).is_absolute()
    assert grammar.parse(server["args"]).command == "serve"
    assert server["env"].keys() <= {option.variable for option in OPTIONS}


def test_the_commands_that_connect_a_client_end_well(tmp_path: Path) -> None:
    (script,) = [block for block in blocks("sh") if "core13-mcp install" in block]
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "all well"
    assert json.loads((tmp_path / ".claude.json").read_text("utf-8"))["mcpServers"]["core13-mcp"]


def test_every_client_is_named() -> None:
    assert [client for client in CLIENTS if f"`{client}`" not in README] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
