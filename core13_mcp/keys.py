"""The forms of PostHog keys. Standard library only."""

from __future__ import annotations

import re

OAUTH_PREFIX = "pha_"

# The request header in which a caller of the HTTP server sends its own key.
KEY_HEADER = "X-PostHog-Api-Key"

# Finds PostHog keys of every kind in a text.
KEY = re.compile(r"\bph[a-z]_[A-Za-z0-9_-]{8,}")

HOW_TO_GET_A_KEY = "create a personal API key (phx_...) in PostHog under Settings > Personal API keys"

_KINDS = {"phx_": "a personal API key", OAUTH_PREFIX: "an OAuth token"}
_UNUSABLE_KINDS = {
    "phc_": "a public project key, which these endpoints do not accept",
    "phs_": "a project secret key, which these endpoints do not accept",
    "phr_": "an OAuth refresh token, which cannot be used to call the API",
}
# Values that clients and files contain in place of a key. The message shows the value, which is no secret.
_REFERENCE = re.compile(r"\$\{[^{}]{1,80}\}|\$\w{1,80}|%\w{1,80}%|\{\{[^{}]{1,80}\}\}")
_PLACEHOLDER = re.compile(r"<[^<>]{0,80}>|phx_(?:\.+|\u2026|\*+|x{2,})|(?:phx_|put_)?your_\w{0,80}", re.IGNORECASE)

# What stands around a key that was copied with too much, and what to remove. The messages contain no part of the key.
_QUOTED = re.compile(r"[\"'`\u2018-\u201f].*|.*[\"'`\u2018-\u201f]", re.DOTALL)
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,80})\s*=")
_EXTRA: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("\ufeff"), "it starts with a byte order mark, which is invisible; remove it, or type the key again"),
    (re.compile(r".*[\r\n]", re.DOTALL), "it has more than one line; keep only the line with the key, without a name"),
    (_QUOTED, "it is in quotation marks; remove them"),
    (re.compile(r"Bearer\s", re.IGNORECASE), "it starts with Bearer; remove this word"),
)


class SecretStr:
    """A string that `str()` and `repr()` do not show."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "SecretStr(**********)"

    def get_secret_value(self) -> str:
        return self._value


def describe_key(key: str) -> str:
    """Return the kind of a usable key, with its article. Old personal API keys have no prefix."""
    return _KINDS.get(key[:4], "a personal API key without prefix")


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a key and is no secret: a reference or a placeholder."""
    return bool(_REFERENCE.fullmatch(value) or _PLACEHOLDER.fullmatch(value))


def reference_problem(value: str) -> str | None:
    """Return what to do if a value is a reference that a client did not replace, or None if it is not one."""
    if not _REFERENCE.fullmatch(value):
        return None
    return f"{value} was not replaced by its value; set that variable in the environment of the MCP client"


def key_problem(key: str) -> str | None:
    """Return why a key cannot be used for these endpoints and what to do, or None if it may work."""
    if problem := reference_problem(key):
        return problem
    if _PLACEHOLDER.fullmatch(key):
        return f"{key} is a placeholder and not a key; {HOW_TO_GET_A_KEY}"
    if assignment := _ASSIGNMENT.match(key):
        return f"the value starts with {assignment[1]}=; remove this, and keep only the key"
    if extra := next((problem for pattern, problem in _EXTRA if pattern.match(key)), None):
        return f"the value is not only a key: {extra}"
    if not key.isascii() or not key.isprintable() or " " in key:
        return f"the key contains characters that no key has; {HOW_TO_GET_A_KEY}"
    kind = _UNUSABLE_KINDS.get(key[:4])
    return f"a key that starts with {key[:4]} is {kind}; {HOW_TO_GET_A_KEY}" if kind else None
