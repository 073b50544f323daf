"""The complete sign-in at a terminal, with a browser that follows the form of the consent page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx2

from ..sandbox.oauth.oauth_client import ConsentForm
from ..sign_in import Machine, machine


def consent(url: str, answer: str = "allow", **changes: list[str]) -> str:
    """Answer on the consent page, follow the redirect to this machine and return its page."""
    with httpx2.Client(follow_redirects=True, timeout=20) as browser:
        form = ConsentForm(browser.get(url).text).submitted
        return browser.post(url, data={"project": ["1"], **form, **changes, "answer": answer}).text


def tokens(home: Machine) -> set[str]:
    return set(re.findall(r"ph[ar]_[\w-]+", home.stored()))


def test_a_person_signs_in_calls_a_tool_and_signs_out(tmp_path: Path) -> None:
    with machine(tmp_path) as home:
        pages: list[str] = []
        status, output = home.log_in(lambda url: pages.append(consent(url)))
        assert status == 0, output
        assert "ada@analytical.example" in output
        assert home.origin in output
        secrets = tokens(home)
        assert len(secrets) == 2
        call = home.run("call", "users-retrieve")
        assert json.loads(call.stdout)["first_name"] == "Ada"
        assert home.run("logout").returncode == 0
        refused = home.run("call", "users-retrieve")
        assert refused.returncode != 0
        assert "core13-mcp login" in refused.stdout + refused.stderr
    shown = [output, *pages, call.stdout, call.stderr, refused.stdout, refused.stderr]
    assert [secret for secret in secrets for text in shown if secret in text] == []


def test_a_person_who_declines_is_not_signed_in(tmp_path: Path) -> None:
    with machine(tmp_path) as home:
        status, output = home.log_in(lambda url: consent(url, "deny"))
        assert status == 1
        assert "declined" in output
        assert tokens(home) == set()
