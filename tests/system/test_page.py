"""The page at `/` in a real browser: no external resources, copy buttons, keyboard navigation and accessibility.

With SCREENSHOTS=DIRECTORY, the tests write pictures of the page there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from core13_mcp.declarations.catalog import load

from .browser import chromium

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "core13_mcp", "serve", "--sandbox", "--http", "0", "--http-drain", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        yield next(match[1] for line in server.stderr if (match := re.search(r"(http://\S+)/mcp", line)))
        server.terminate()


@pytest.fixture(scope="module")
def browser(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.get(url)
        yield driver


def test_the_page_shows_all_tools_and_the_url_of_the_server(browser: webdriver.Chrome, url: str) -> None:
    assert len(browser.find_elements(By.CSS_SELECTOR, "table tbody tr")) == len(load())
    assert f"{url}/mcp" in browser.find_element(By.TAG_NAME, "header").text


def test_the_page_loads_nothing_from_other_servers(browser: webdriver.Chrome, url: str) -> None:
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert [name for name in loaded if not name.startswith(url)] == []


def test_the_keyboard_reaches_every_link_and_every_link_has_a_text(browser: webdriver.Chrome) -> None:
    links = browser.find_elements(By.CSS_SELECTOR, "a[href]")
    reached = set()
    for _ in range(len(links) + 20):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(browser.switch_to.active_element.get_attribute("href"))
    assert {link.get_attribute("href") for link in links} <= reached
    assert all(str(link.get_property("textContent")).strip() for link in links)


def test_the_install_links_contain_the_url_of_the_server(browser: webdriver.Chrome, url: str) -> None:
    installs = [
        link.get_attribute("href") or ""
        for link in browser.find_elements(By.CSS_SELECTOR, "a[href^='vscode'], a[href^='cursor']")
    ]
    assert len(installs) == 2
    assert all(url.partition("://")[2].partition(":")[2] in link or "config=" in link for link in installs)


def test_a_copy_button_copies_the_text_and_says_so(browser: webdriver.Chrome, url: str) -> None:
    browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"], "origin": url})
    browser.find_element(By.TAG_NAME, "summary").click()
    button = browser.find_element(By.CSS_SELECTOR, "details[open] button")
    assert button.accessible_name == "Copy: Claude Code: what to paste"
    button.send_keys(Keys.ENTER)
    WebDriverWait(browser, 10).until(lambda _: button.text == "Copied")
    assert browser.find_element(By.CSS_SELECTOR, "[role=status]").text == "Copied to the clipboard."
    copied = browser.execute_async_script("navigator.clipboard.readText().then(arguments[arguments.length - 1])")
    assert copied == browser.find_element(By.CSS_SELECTOR, "details[open] pre").text


def test_without_the_clipboard_the_button_copies_the_selection(browser: webdriver.Chrome) -> None:
    browser.execute_script("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    button = browser.find_element(By.CSS_SELECTOR, "details[open] button")
    browser.execute_script("arguments[0].textContent = 'Copy'", button)
    button.click()
    WebDriverWait(browser, 10).until(lambda _: button.text != "Copy")
    assert browser.execute_script("return getSelection().toString()").startswith("claude mcp add")


@pytest.fixture(params=["desktop", "phone", "dark"])
def screen(browser: webdriver.Chrome, request: pytest.FixtureRequest) -> str:
    """Imitate the screen of a desktop computer, of a phone, or of a person who prefers dark colours."""
    name: str = request.param
    size = {"width": 390 if name == "phone" else 1280, "height": 900, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "mobile": name == "phone"})
    scheme = {"name": "prefers-color-scheme", "value": "dark" if name == "dark" else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    return name


def test_the_page_has_no_accessibility_violations(browser: webdriver.Chrome, screen: str) -> None:
    browser.execute_script(Path(os.environ["AXE_CORE"]).read_text("utf-8"))
    report = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    assert [(rule["id"], rule["help"], len(rule["nodes"])) for rule in report["violations"]] == []
    assert len(report["passes"]) > 10


def test_the_page_fits_the_screen(browser: webdriver.Chrome, screen: str) -> None:
    root = "return document.documentElement."
    assert browser.execute_script(f"{root}scrollWidth") <= browser.execute_script(f"{root}clientWidth")


def test_the_colours_are_those_that_the_person_prefers(browser: webdriver.Chrome, screen: str) -> None:
    background = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert (background == "rgba(23, 23, 27, 1)") == (screen == "dark")
    if folder := os.environ.get("SCREENSHOTS"):
        browser.execute_script("scrollTo(0, 0)")
        assert browser.save_screenshot(str(Path(folder) / f"page-{screen}.png"))
