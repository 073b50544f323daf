"""The forms of PostHog keys, and what is wrong with a key that cannot work. Pure."""

from __future__ import annotations

import re

_WHY_NOT = {
    "phc_": "is a public project key, which these endpoints do not accept",
    "phs_": "is a project secret key, which these endpoints do not accept",
    "phr_": "is an OAuth refresh token, which is not for calling the API",
}


_KINDS = {"phx_": "a personal API key", "pha_": "an OAuth token"}

# The request header with which a caller of an HTTP server sends its own key.
KEY_HEADER = "X-PostHog-Api-Key"

_REFERENCE = re.compile(r"\$\{[^{}]+\}|\$\w+")


HOW_TO_GET_A_KEY = "make a personal API key (phx_...) in PostHog under Settings > Personal API keys"


def describe_key(key: str) -> str:
    """Return the kind of a key, by its prefix."""
    return _KINDS.get(key[:4], "an old key without a prefix")


def key_problem(key: str) -> str | None:
    """Why a key cannot work here, and what to use instead; None where it may (old keys have no prefix)."""
    if _REFERENCE.fullmatch(key):
        return f"{key} came as it is: what started this put nothing in its place; set that variable where it is started"
    if not key.isascii() or not key.isprintable() or " " in key:
        return f"the key has characters that no key has; {HOW_TO_GET_A_KEY}"
    why = next((why for prefix, why in _WHY_NOT.items() if key.startswith(prefix)), None)
    return why and f"a key that starts with {key[:4]} {why}; {HOW_TO_GET_A_KEY}"
