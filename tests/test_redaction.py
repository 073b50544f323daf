"""Secrets are found in every encoding in which a program may repeat them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.jsonio import compact_json
from core13_mcp.redaction import REDACTED, has_secret, redact, redact_keys

KEY = "phx_aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1gI3kM5"
PASSWORD = 'p\'ass "wörd" <&> 1/2+3=\\'

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "JSON without ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "percent": lambda text: quote(text, safe=""),
    "percent, except slashes": quote,
    "form": quote_plus,
    "percent in lower case": lambda text: quote(text, safe="").replace("%C3%B6", "%c3%b6").replace("%3C", "%3c")
    .replace("%3E", "%3e").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d").replace("%5C", "%5c"),
    "percent, every character": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "HTML": html.escape,
    "HTML with decimal apostrophes": lambda text: html.escape(text).replace("&#x27;", "&#39;"),
    "HTML without quotes": lambda text: html.escape(text, quote=False).replace('"', "&quot;"),
    "HTML, every character": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "hex": lambda text: text.encode().hex(),
    "hex in upper case": lambda text: text.encode().hex().upper(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()), safe=""),
    "basic authentication": lambda text: "Basic " + base64.b64encode(f"user:{text}".encode()).decode(),
    "base64 of a cookie": lambda text: base64.b64encode(f"id={text}; a=b".encode()).decode(),
    "base64 of JSON": lambda text: base64.b64encode(f'{{"key":{text}'.encode()).decode(),
}  # fmt: skip


@pytest.mark.parametrize("secret", [KEY, PASSWORD], ids=["key", "password"])
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_a_secret_is_removed_in_every_encoding(encode: Callable[[str], str], secret: str) -> None:
    for value in (encode(secret), f"x{encode(secret)}y"):
        assert has_secret(compact_json({"a": [value]}), (secret,))
        clean = redact({"a": [value], value: 1}, (secret,))
        assert REDACTED in clean["a"][0] and not has_secret(compact_json(clean), (secret,))
        assert all(part not in clean["a"][0] for part in (encode(secret)[4:-6], secret[2:-2]))


@given(some.binary(max_size=40), some.binary(max_size=40))
def test_base64_of_a_text_with_a_secret_has_no_secret(before: bytes, after: bytes) -> None:
    clean = redact(base64.b64encode(before + KEY.encode() + after).decode(), (KEY,))
    assert REDACTED in clean
    rest = "".join(clean.split(REDACTED))
    # At most the digits at the ends depend on a part of the secret.
    assert len(rest) <= len(base64.b64encode(before + after)) + 8


@given(some.text())
def test_other_text_is_not_changed(text: str) -> None:
    assert redact(text, (KEY, PASSWORD, "short")) == text


def test_secrets_that_may_be_ordinary_words_are_kept() -> None:
    assert redact("a short word", ("short",)) == "a short word" and not has_secret('"short"', ("short",))


def test_the_code_and_the_verifier_of_a_sign_in_are_redacted_in_urls_and_forms():
    code, verifier = "c0de" * 8, "ver1fier" * 8
    text = redact_keys(f"GET /callback?code={code}&state=s code_verifier={verifier}&code=missing_scope")
    assert text == "GET /callback?code=[withheld]&state=s code_verifier=[withheld]&code=missing_scope"
