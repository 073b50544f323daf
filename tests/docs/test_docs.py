"""The docs say what is so: every command in them is run, every generated page is current, every link leads somewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[object]:
    """The blocks in a language; a command's with the text under it, which is what it prints, or None."""
    return [
        pytest.param(
            *((block[2], block[3]) if language == "sh" else (block[2],)),
            id=f"{page.relative_to(ROOT)}:{page.read_text()[: block.start()].count(chr(10)) + 2}",
        )
        for page in PAGES
        for block in FENCE.finditer(page.read_text("utf-8"))
        if block[1] == language
    ]


@pytest.mark.parametrize(("script", "shown"), blocks("sh"))
def test_every_command_in_the_docs_ends_as_it_says(script: str, shown: str | None, tmp_path: Path) -> None:
    expected = re.match(r"# exits (\d)\n", script)
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == (int(expected[1]) if expected else 0), ran.stdout
    if shown is not None:
        parts = re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)
        assert re.fullmatch("(?:.*\n)*".join(map(re.escape, parts)), ran.stdout), ran.stdout


@pytest.mark.parametrize("text", blocks("json"))
def test_every_json_in_the_docs_is_json(text: str) -> None:
    json.loads(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|cursor:|vscode:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_pages_of_the_tools_are_current() -> None:
    ran = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"run scripts/docs.py:\n{ran.stdout}{ran.stderr}"
