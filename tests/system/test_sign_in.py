"""The complete sign-in in a real browser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ..sign_in import Machine, machine
from .browser import chromium

pytestmark = pytest.mark.system


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "home").mkdir()
    with machine(tmp_path / "home") as started:
        yield started


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path / "profile") as driver:
        yield driver


def click(browser: webdriver.Chrome, selector: str) -> None:
    browser.find_element(By.CSS_SELECTOR, selector).click()


def wait_for_result(browser: webdriver.Chrome) -> str:
    """Wait until the browser is back at the command, and return the text of its page."""
    WebDriverWait(browser, 20).until(lambda _: "/callback?" in browser.current_url)
    return str(browser.find_element(By.TAG_NAME, "body").text)


def save_screenshot(browser: webdriver.Chrome, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        assert browser.save_screenshot(str(Path(folder) / f"sign-in-{name}.png"))


def test_a_person_selects_a_project_and_scopes_in_the_browser(home: Machine, browser: webdriver.Chrome) -> None:
    results = []

    def sign_in(url: str) -> None:
        browser.get(url)
        click(browser, "input[name=project][value='1']")
        click(browser, "input[name=scope][value='subscription:write']")
        save_screenshot(browser, "consent")
        click(browser, "button[value=allow]")
        results.append(wait_for_result(browser))
        save_screenshot(browser, "result")

    status, output = home.log_in(sign_in)
    assert status == 0, output
    assert "signed in" in results[0].lower()
    assert "subscriptions-create needs subscription:write" in output
    call = home.run("call", "users-retrieve")
    assert json.loads(call.stdout)["first_name"] == "Ada"
    listed = home.run("call", "subscriptions-list")
    assert json.loads(listed.stdout)["results"]
    assert home.run("logout").returncode == 0
    assert home.run("call", "users-retrieve").returncode != 0


def test_a_person_signs_in_with_another_account(home: Machine, browser: webdriver.Chrome) -> None:
    def sign_in(url: str) -> None:
        browser.get(url)
        click(browser, "summary")
        click(browser, "a[href*='user=5']")
        click(browser, "input[name=project]")
        click(browser, "button[value=allow]")
        wait_for_result(browser)

    status, output = home.log_in(sign_in)
    assert status == 0, output
    assert "grace@compilers.example" in output


def test_a_person_who_declines_reads_it_in_the_browser_and_at_the_terminal(
    home: Machine, browser: webdriver.Chrome
) -> None:
    results = []

    def decline(url: str) -> None:
        browser.get(url)
        click(browser, "button[value=deny]")
        results.append(wait_for_result(browser))

    status, output = home.log_in(decline)
    assert status == 1
    assert "declined" in output
    assert "declined" in results[0]


def test_the_consent_page_has_no_accessibility_violations(home: Machine, browser: webdriver.Chrome) -> None:
    violations: list[tuple[str, str]] = []

    def check(url: str) -> None:
        browser.get(url)
        browser.execute_script(Path(os.environ["AXE_CORE"]).read_text("utf-8"))
        report = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        violations.extend((rule["id"], rule["help"]) for rule in report["violations"])
        click(browser, "button[value=deny]")
        wait_for_result(browser)

    home.log_in(check)
    assert violations == []
