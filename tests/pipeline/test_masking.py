"""Webhook URLs are credentials: only the call that sets one shows it."""

from __future__ import annotations

import json
from typing import Any

import mcp_types as types
import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.masking import mask_urls

from ..clients import connected, result_text
from ..fake_api import FakeAPI, call_context, call_error, call_value, reply
from ..processes import run_cli

pytestmark = pytest.mark.anyio

CATALOG = load()
URL = "https://acme.webhook.office.com/webhookb2/0d1f-secret-5a7e"
OTHER = "https://acme.webhook.office.com/webhookb2/1c2b-secret-9b3f"
MASKED, OTHER_MASKED = "https://acme.webhook.office.com/…5a7e", "https://acme.webhook.office.com/…9b3f"
STORED: dict[str, Any] = {
    "id": 1,
    "enabled": False,
    "target_type": "teams",
    "target_value": URL,
    "title": f"Posts to {URL}",
    "delivery_config": {"urls": [URL], "retries": 3},
    "docs": "https://posthog.example/docs/subscriptions",
}
NEW: dict[str, Any] = {"insight": 1, "target_type": "teams", "frequency": "daily", "start_date": "2031-01-06T09:00:00Z"}
UNASKED: dict[str, Any] = {"confirm": "never", "project_id": 1}


@pytest.mark.parametrize("detail", ["concise", "full"])
@pytest.mark.parametrize("name", ["subscriptions-list", "subscriptions-retrieve", "subscriptions-destroy"])
async def test_a_result_shows_the_host_and_the_last_four_characters(name: str, detail: str) -> None:
    tool = CATALOG[name]
    answer = {"count": 1, "results": [STORED]} if name.endswith("list") else STORED
    arguments = {"project_id": 1, "id": 1, "detail": detail}
    sent: dict[str, Any] = {key: value for key, value in arguments.items() if key in tool.arguments}
    text = json.dumps(await call_value(tool, FakeAPI(reply(200, answer)), **sent), ensure_ascii=False)
    assert "secret" not in text and MASKED in text
    assert (STORED["docs"] in text) == (detail == "full" and "detail" in tool.arguments)


async def test_only_the_call_that_sets_a_url_shows_it() -> None:
    update = CATALOG["subscriptions-partial-update"]
    created = await call_value(
        CATALOG["subscriptions-create"], FakeAPI(reply(201, STORED)), **UNASKED, target_value=URL, **NEW
    )
    changed = await call_value(update, FakeAPI(reply(200, STORED)), **UNASKED, id=1, target_value=URL)
    another = await call_value(update, FakeAPI(reply(200, STORED)), **UNASKED, id=1, target_value=OTHER)
    renamed = await call_value(update, FakeAPI(reply(200, STORED)), **UNASKED, id=1, title="x", detail="full")
    assert created["target_value"] == changed["target_value"] == URL
    assert another["target_value"] == renamed["target_value"] == MASKED
    assert renamed["title"] == f"Posts to {MASKED}"
    assert renamed["delivery_config"] == {"urls": [MASKED], "retries": 3}


async def test_an_error_does_not_show_the_url_that_was_sent() -> None:
    body = {
        "type": "validation_error",
        "code": "invalid_input",
        "detail": f"Cannot post to {URL}.",
        "attr": "target_value",
    }
    error = await call_error(
        CATALOG["subscriptions-create"], FakeAPI(reply(400, body)), **UNASKED, target_value=URL, **NEW
    )
    assert "secret" not in str(error) and MASKED in str(error)
    wrong = await call_error(
        CATALOG["subscriptions-create"], FakeAPI(reply()), **UNASKED, target_value=f"{URL} ", **NEW
    )
    assert "secret" not in str(wrong) and MASKED in str(wrong)


async def test_a_question_shows_the_hosts_of_the_old_and_the_new_url() -> None:
    questions = []

    async def decline(_: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        questions.append(params.message)
        return types.ElicitResult(action="decline")

    api = FakeAPI(reply(200, STORED | {"enabled": True}))
    arguments = {"project_id": 1, "id": 1, "target_value": OTHER}
    async with connected(call_context(api), elicitation_callback=decline) as client:
        result = await client.call_tool("subscriptions-partial-update", arguments)
    host = "https://acme.webhook.office.com/…"
    assert f"{host} (ends with “5a7e”)" in questions[0] and f"{host} (ends with “9b3f”)" in questions[0]
    assert "secret" not in questions[0] + result_text(result)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:pw@host.example:8443/a/b?token=12345678", "https://host.example:8443/…5678"),
        ("https://host.example/ab", "https://host.example/…"),
        ("https://host.example/", "https://host.example/"),
        (f"from {URL}, to {OTHER}", f"from {MASKED}, to {OTHER_MASKED}"),
        (MASKED, MASKED),
        ("a@b.example", "a@b.example"),
    ],
)
async def test_a_url_is_shortened_once(text: str, masked: str) -> None:
    assert mask_urls(text) == masked == mask_urls(masked)


async def test_no_log_line_and_no_dry_run_shows_the_url() -> None:
    arguments = {"project_id": 1, "target_value": URL, **NEW, "target_type": "webhook"}
    command = ["call", "subscriptions-create", "--sandbox", json.dumps(arguments)]
    done = run_cli(*command, CORE13_LOG_LEVEL="debug", CORE13_CONFIRM="never")
    assert done.returncode == 0 and URL in done.stdout and "secret" not in done.stderr
    planned = run_cli(*command, "--dry-run")
    assert MASKED in planned.stdout and "secret" not in planned.stdout + planned.stderr
    wrong = run_cli("call", "subscriptions-create", json.dumps(arguments | {"target_type": "slack"}), "--dry-run")
    assert MASKED in wrong.stderr and "secret" not in wrong.stderr
