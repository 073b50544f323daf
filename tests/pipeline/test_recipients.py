"""Recipients and names: each wrong one is named with its fault, and a person sees what is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import DeclarationError, InvalidArguments
from core13_mcp.pipeline.call import plan

from ..factories import declaration_json, make_tool

CATALOG = load()
CREATE, UPDATE = CATALOG["subscriptions-create"], CATALOG["subscriptions-partial-update"]
USER, PASSWORD = CATALOG["users-partial-update"], CATALOG["session-recordings-sharing-passwords-create"]
NEW: dict[str, Any] = {
    "project_id": 1,
    "insight": 1,
    "frequency": "daily",
    "start_date": "2031-01-06T09:00:00Z",
    "integration_id": 1,
}
CHANNEL = "For slack, pass a channel id, alone or followed by |#name"
ADDRESSES = "For email, pass addresses joined by commas only"


def refusal(tool: Declaration, arguments: dict[str, Any]) -> str:
    with pytest.raises(InvalidArguments) as error:
        plan(tool, arguments)
    return str(error.value).splitlines()[1]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("a@b.example, c@d.example", '" c@d.example" contains a space'),
        ("a@b.example ", '"a@b.example " contains a space'),
        ("a@b.example\u00a0", '"a@b.example<U+00A0>" contains U+00A0'),
        ("a@b.example\n", '"a@b.example<U+000A>" contains the invisible character U+000A'),
        ("a\u200b@b.example", '"a<U+200B>@b.example" contains the invisible character U+200B'),
        ("good@b.example,a\u2063@b.example", '"a<U+2063>@b.example" contains the invisible character U+2063'),
        ("\u202ea@b.example", '"<U+202E>a@b.example" contains the invisible character U+202E'),
        ("a@b.example\U000e0041", '"a@b.example<U+E0041>" contains the invisible character U+E0041'),
        ("Ada<a@b.example>", '"Ada<a@b.example>" contains the character <'),
        ("[a@b.example]", "contains the character ["),
        ('"a@b.example"', '"\'a@b.example\'" contains the character "'),
        ("'a@b.example'", "contains the character '"),
        ("\u201ca@b.example\u201d", "contains the character \u201c"),
        ("a@b.example;c@d.example", "contains the character ;"),
        ("mailto:a@b.example", "starts with mailto:"),
        ("a@b.example,,c@d.example", '"" is empty'),
        ("a@b.example,", '"" is empty'),
        ("ada", '"ada" has no @'),
        ("a@b@c.example", '"a@b@c.example" is not one address'),
        ("@b.example", '"@b.example" is not one address'),
    ],
)
def test_an_address_with_a_fault_is_named(value: str, fault: str) -> None:
    error = refusal(CREATE, NEW | {"target_type": "email", "target_value": value})
    assert error.startswith("target_value: ") and f"{fault}." in error and ADDRESSES in error


def test_every_wrong_address_is_named_up_to_a_limit() -> None:
    addresses = [f"good{number}@b.example,bad{number}" for number in range(13)]
    error = refusal(CREATE, NEW | {"target_type": "email", "target_value": ",".join(addresses)})
    assert error.startswith('target_value: "bad0" has no @; "bad1" has no @;')
    assert '"bad9" has no @; and more. For email' in error and "bad10" not in error


def test_a_long_entry_is_shortened() -> None:
    error = refusal(CREATE, NEW | {"target_type": "email", "target_value": "x" * 5000})
    assert f'"{"x" * 79}…" has no @' in error and len(error) < 300


@pytest.mark.parametrize("value", ["a@b.example", "a@b.example,o'brien+x@d.example", "ä@b.example"])
def test_correct_addresses_are_sent_unchanged(value: str) -> None:
    for tool, arguments in ((CREATE, {**NEW, "target_type": "email"}), (UPDATE, {"project_id": 1, "id": 1})):
        body = plan(tool, arguments | {"target_value": value}).body
        assert body is not None and body["target_value"] == value


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("U0AC72|alice", "is a person or a direct message"),
        ("W0AC72", "is a person or a direct message"),
        ("D0AC72", "is a person or a direct message"),
        ("@alice", "is a person or a direct message"),
        ("#general", "is the name of a channel, without its id"),
        ("|#general", "is the name of a channel, without its id"),
        ("general", "is not the id of a channel"),
        ("C1,C2", "is a list; a subscription goes to one channel"),
        ("https://acme.slack.com/archives/C1", "is a URL"),
        ("<#C1|general>", "is not the id of a channel"),
        ("C1|general", "is not the id of a channel"),
        ("C1|#general\u200b", "contains the invisible character U+200B"),
    ],
)
def test_slack_needs_the_id_of_one_channel(value: str, fault: str) -> None:
    error = refusal(CREATE, NEW | {"target_type": "slack", "target_value": value})
    assert fault in error and CHANNEL in error


@pytest.mark.parametrize("value", ["C0123ABC", "G0123ABC", "C0123ABC|#general"])
def test_a_channel_id_with_or_without_its_name_is_sent(value: str) -> None:
    for tool, arguments in ((CREATE, {**NEW, "target_type": "slack"}), (UPDATE, {"project_id": 1, "id": 1})):
        body = plan(tool, arguments | {"target_value": value}).body
        assert body is not None and body["target_value"] == value


TEAMS = "https://acme.webhook.office.com/webhookb2/1"


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        ("webhook", "http://hooks.example/1", "is not an https URL"),
        ("webhook", "a@b.example", "is not an https URL"),
        ("webhook", "https:///1", "has no host"),
        ("webhook", "https://hooks.example/a b", "contains a space"),
        ("webhook", "https://hooks.example/…5a7e", "is the shortened form that results show"),
        ("teams", "https://acme.webhook.office.com/…5a7e", "is the shortened form that results show"),
        ("teams", "http://acme.webhook.office.com/1", "is not an https URL"),
        ("teams", "https://user@acme.webhook.office.com/1", "contains a user name"),
        ("teams", "https://hooks.example/1", "is not on a host of Teams webhooks"),
        ("teams", "https://webhook.office.com.evil.example/1", "is not on a host of Teams webhooks"),
        ("teams", "https://acme.webhook.office.com:8443/1", "is not on a host of Teams webhooks"),
    ],
)
def test_webhook_and_teams_need_an_https_url(kind: str, value: str, fault: str) -> None:
    assert fault in refusal(CREATE, NEW | {"target_type": kind, "target_value": value})


@pytest.mark.parametrize(("kind", "value"), [("webhook", "HTTPS://hooks.example/1"), ("teams", TEAMS)])
def test_an_https_url_is_sent(kind: str, value: str) -> None:
    request = plan(CREATE, NEW | {"target_type": kind, "target_value": value})
    assert request.body is not None and request.body["target_value"] == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a@b.example, c@d.example", ADDRESSES),
        ("@alice", CHANNEL),
        ("alice", CHANNEL),
        ("https://hooks.example/…5a7e", "is the shortened form that results show"),
        ("http://hooks.example/a@b", "is not an https URL"),
    ],
)
def test_a_change_of_recipients_without_a_type_is_checked_by_the_form_of_its_value(value: str, message: str) -> None:
    error = refusal(UPDATE, {"project_id": 1, "id": 1, "target_value": value})
    assert message in error and error.count("target_value:") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first_name": "Ada\u200b"}, 'first_name: "Ada<U+200B>" contains the invisible character U+200B.'),
        ({"last_name": "L\nB"}, "last_name: "),
        ({"email": "ada @b.example"}, 'email: "ada @b.example" contains a space. Pass one address'),
        ({"email": "ada"}, 'email: "ada" has no @. Pass one address'),
    ],
)
def test_a_name_or_address_of_a_user_has_no_hidden_characters(arguments: dict[str, Any], message: str) -> None:
    assert refusal(USER, arguments).startswith(message)


@pytest.mark.parametrize("password", [" correct horse", "correct horse\t", " " * 8])
def test_a_password_that_posthog_would_change_is_refused_without_showing_it(password: str) -> None:
    error = refusal(PASSWORD, {"project_id": 1, "recording_id": "r1", "raw_password": password})
    assert error.startswith("raw_password: the value starts or ends with whitespace, which PostHog removes.")
    assert "correct" not in error


def test_an_id_of_a_recording_can_have_more_than_letters_and_digits() -> None:
    path = plan(PASSWORD, {"project_id": 1, "recording_id": "a:b~c=d+e"}).path
    assert path.endswith("/session_recordings/a%3Ab~c%3Dd%2Be/sharing/passwords/")


def test_a_text_without_a_check_may_have_any_characters() -> None:
    tool = make_tool("POST", "/api/things/", properties={"note": {"type": "string"}}, checks=[])
    assert plan(tool, {"note": "\u200b\n"}).body == {"note": "\u200b\n"}


def test_a_wrong_pattern_of_a_check_is_an_error_at_start(tmp_path: Any) -> None:
    check = {"argument": "id", "faults": [{"pattern": "(", "say": "is wrong"}], "say": "Correct it."}
    (tmp_path / "things-do.json").write_text(json.dumps(declaration_json(checks=[check])))
    with pytest.raises(DeclarationError, match=r"checks.0.faults.0.*pattern: missing \)"):
        load(str(tmp_path))


def test_a_text_that_is_too_long_is_reported_once() -> None:
    arguments = {"project_id": 1, "insight": 1, "target_type": "email", "target_value": "@ " * 20_000}
    arguments |= {"frequency": "daily", "start_date": "2026-01-01T00:00:00Z"}
    with pytest.raises(InvalidArguments, match=r"1 invalid argument;.*\n.*is longer than 20000 characters"):
        plan(load()["subscriptions-create"], arguments)
