"""Describes the address of one recipient, with marks where it may mislead a reader. Pure, standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from ..text import quote, strip_invisible

# Longer texts are neither addresses nor hosts.
MAX_ADDRESS = 120
_MAX_HOST = 253
_LETTER_NAME = re.compile("LETTER|IDEOGRAPH-|SYLLABLE")
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://", re.IGNORECASE)
_CHANNEL = re.compile(r"([\w#.-]{1,80})(?:\|(.*))?", re.ASCII | re.DOTALL)
_PLAIN_ADDRESS = re.compile(r"[\w.+/=&-]+@[\w.-]+")
_PLAIN_HOST = re.compile(r"([\w.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?", re.IGNORECASE)
_AUTHORITY_END = re.compile(r"[/?#]")


def describe_recipient(recipient: str) -> str:
    """Return an email address, a channel id or a URL as a person reads it, with notes in parentheses.

    A URL can be a credential, so only its host and its last four characters are shown.
    """
    text = strip_invisible(recipient)
    hidden = [] if text == recipient else ["contains invisible characters"]
    if _URL.match(text):
        shown, notes = _describe_url(text)
    elif match := _CHANNEL.fullmatch(text):
        shown, notes = match[1], list(script_notes(match[1]))
        notes += [] if match[2] is None else [f"label {quote(match[2], 80)}"]
    else:
        shown, notes = _describe_address(text)
    notes = [*notes, *hidden]
    return f"{shown} ({'; '.join(notes)})" if notes else shown


def visible_end(path: str) -> str:
    """Return the last four characters of the path of a URL, which can be a credential; nothing of a short path."""
    return path[-4:] if len(path) > 8 else ""


def is_plain(recipient: str) -> bool:
    """Whether a recipient is an address without any mark."""
    return recipient.isascii() and "xn--" not in recipient and _PLAIN_ADDRESS.fullmatch(recipient) is not None


def script_notes(text: str) -> Iterator[str]:
    """Describe the characters of an address or a host that can be mistaken for others.

    Such a character is from another script than Latin, or is not in ASCII.
    """
    labels = re.split(r"[@.:]", text)
    yield from _describe_characters(labels)
    for label in labels:
        if label.lower().startswith("xn--"):
            yield _describe_punycode(label)


def _describe_characters(labels: Sequence[str]) -> Iterator[str]:
    scripts = [{_script(character) for character in label} for label in labels]
    for script in sorted(set().union(*scripts) - {"Latin", ""}):
        is_mixed = any({script, "Latin"} <= of_label for of_label in scripts)
        yield f"contains {script} letters{' mixed with Latin ones' if is_mixed else ''}"
    others = dict.fromkeys(c for label in labels for c in label if not c.isascii() and _script(c) in ("Latin", ""))
    if others:
        yield f"contains {quote(''.join(others), 20)}"


def _script(character: str) -> str:
    """Return the script of a letter, such as `Latin`, or an empty string."""
    name = unicodedata.name(character, "")
    return name.partition(" ")[0].capitalize() if _LETTER_NAME.search(name) else ""


def _describe_punycode(label: str) -> str:
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except ValueError:
        return f"{quote(label, 63)} is not a valid name"
    notes = "; ".join(_describe_characters([decoded]))
    return f"{quote(label, 63)} is displayed as {quote(decoded, 63)}" + (f", which {notes}" if notes else "")


def _describe_url(url: str) -> tuple[str, list[str]]:
    """Return the scheme and the complete host, and what else matters."""
    scheme, _, rest = url.partition("://")
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0]
    user, separator, host = authority.rpartition("@")
    tail = rest[len(authority) :]
    has_path = len(tail) > 1
    end = visible_end(tail)
    notes = [f"ends with {quote(end)}"] if end else []
    if separator:
        notes.append(f"the text before @, {quote(user.partition(':')[0], MAX_ADDRESS)}, is not its host")
    if "\\" in authority:
        notes.append("its host is not certain, because it contains a backslash")
    shown = host if len(host) <= _MAX_HOST and _PLAIN_HOST.fullmatch(host) else quote(host, _MAX_HOST)
    return f"{scheme.lower()}://{shown}/{'…' if has_path else ''}", [*notes, *script_notes(host[:_MAX_HOST])]


def _describe_address(text: str) -> tuple[str, list[str]]:
    """Return an address. Of a text that is too long for one, its start and its end, which has the domain."""
    if len(text) <= MAX_ADDRESS:
        return text if _PLAIN_ADDRESS.fullmatch(text) else quote(text), list(script_notes(text))
    start, end = text[: MAX_ADDRESS // 2], text[-MAX_ADDRESS // 2 :]
    return quote(f"{start}…{end}"), [f"{len(text)} characters", *script_notes(start + end)]
