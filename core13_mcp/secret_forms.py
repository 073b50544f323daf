"""The encodings in which a text can contain a secret. Standard library only."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from urllib.parse import quote, quote_plus

# Shorter secrets are part of ordinary words. PostHog accepts no password of fewer than 8 characters.
_MIN_LENGTH = 6

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


@lru_cache(256)
def secret_forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return every form of the secrets, the longest first. Secrets of fewer than 6 characters have none."""
    forms = {form for secret in secrets if len(secret) >= _MIN_LENGTH for form in _forms(secret)}
    return tuple(sorted(forms, key=len, reverse=True))


@lru_cache(256)
def json_forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same forms as a JSON text contains them."""
    return tuple(dict.fromkeys(encode_basestring(form)[1:-1] for form in secret_forms(secrets)))


def _forms(secret: str) -> Iterator[str]:
    data = secret.encode("utf-8", "surrogatepass")
    yield secret
    for text in (encode_basestring(secret)[1:-1], encode_basestring_ascii(secret)[1:-1]):
        # The last one is JSON in a string of JSON.
        yield from (text, text.replace("/", r"\/"), encode_basestring(text)[1:-1])
    for apostrophe in ("'", "&#39;", "&#x27;"):
        yield secret.translate(_HTML).replace("'", apostrophe)
    yield from (data.hex(), data.hex().upper())
    yield from _percent_forms(secret, data)
    yield from _forms_of_all_characters(secret, data)
    for form in _base64_forms(data):
        yield from (form, form.replace("/", r"\/"), form.translate(str.maketrans("+/", "-_")))
        yield from _percent_forms(form, form.encode())


def _percent_forms(text: str, data: bytes) -> Iterator[str]:
    for form in (quote(data, safe=""), quote(data, safe="/"), quote_plus(data)):
        # The hexadecimal digits, which another program may write in lower case.
        lower = "%".join(part[:2].lower() + part[2:] for part in f"..{form}".split("%"))[2:]
        yield from (form, lower)


def _forms_of_all_characters(secret: str, data: bytes) -> Iterator[str]:
    """Yield the forms in which an encoder writes every character as its number."""
    yield "".join(f"%{byte:02X}" for byte in data)
    yield "".join(f"%{byte:02x}" for byte in data)
    for form in (r"\u%04x", r"\u%04X", "&#%d;", "&#x%x;", "&#x%X;"):
        yield "".join(form % ord(character) for character in secret)


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield the base64 digits that depend on the data only, for each of its three places in groups of three bytes.

    The data is a part of a longer text, such as the `user:password` of basic authentication.
    """
    for before in range(3):
        text = b2a_base64(bytes(before) + data, newline=False).decode()
        yield text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
