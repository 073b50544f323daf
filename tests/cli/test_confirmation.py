"""A call from a shell without a terminal is confirmed with `--yes`, or with the code of an earlier process."""

from __future__ import annotations

import re

import pytest

from ..processes import run_cli

SEND = ("call", "subscriptions-test-delivery-create", "project_id=1", "--sandbox")
KEY, NEW_KEY = "k" * 32, "n" * 32


def code_of_a_refused_call(*words: str, **variables: str) -> str:
    """Make a call without a confirmation, and return the code in its error."""
    refused = run_cli(*SEND, *words, **variables)
    assert refused.returncode == 1 and refused.stdout == "" and "nothing was sent" in refused.stderr
    assert "First show the question to the person" in refused.stderr and "with --yes or" in refused.stderr
    [code] = re.findall(r"confirmation=(\S+) ", refused.stderr)
    return str(code)


@pytest.mark.smoke
def test_the_code_of_one_process_confirms_the_same_call_in_another_one():
    code = code_of_a_refused_call("id=1")
    sent = run_cli(*SEND, "id=1", f"confirmation={code}")
    assert sent.returncode == 0 and "Queued: subscription 1" in sent.stdout
    other = run_cli(*SEND, "id=2", f"confirmation={code}")
    assert other.returncode == 1 and "not for this call with these arguments" in other.stderr


def test_the_seal_keys_protect_the_codes_of_the_shell():
    code = code_of_a_refused_call("id=1", CORE13_SEAL_KEYS=KEY)
    rotated = run_cli(*SEND, "id=1", f"confirmation={code}", CORE13_SEAL_KEYS=f"{NEW_KEY},{KEY}")
    other = run_cli(*SEND, "id=1", f"confirmation={code}", CORE13_SEAL_KEYS=NEW_KEY)
    assert (rotated.returncode, other.returncode) == (0, 1)


@pytest.mark.parametrize("words", [("users-destroy",), ("subscriptions-test-delivery-create", "id=1", "project_id=1")])
def test_without_a_code_yes_is_the_only_confirmation(words: tuple[str, ...]):
    refused = run_cli("call", *words, "--sandbox", "--confirm", "always")
    assert refused.returncode == 1 and "again with --yes." in refused.stderr and "confirmation=" not in refused.stderr
    confirmed = run_cli("call", *words, "--sandbox", "--confirm", "always", "--yes")
    assert "a person must confirm" not in confirmed.stderr


def test_a_dry_run_needs_no_confirmation_and_does_not_send_the_code():
    result = run_cli(*SEND, "id=1", "confirmation=x", "--dry-run")
    assert result.returncode == 0 and "confirmation" not in result.stdout
