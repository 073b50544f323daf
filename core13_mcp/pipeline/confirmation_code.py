"""Short codes with which a person can confirm a call through the conversation. No I/O but the clock."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CODE_LIFETIME_MINUTES = 5

CodeProblem = Literal["expired", "used", "changed", "unknown"]
"""Why a code is refused: `changed` if the effect of the call has changed, `unknown` if it is for another call."""

# The alphabet of Crockford's base 32, in which no two characters look alike.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans("OIL", "011", "- ")

# A code contains the number of its time slot modulo the window, so its age is known for more than two hours.
_SLOT_SECONDS = 8
_WINDOW = 32**2
_MAX_AGE = CODE_LIFETIME_MINUTES * 60 // _SLOT_SECONDS
# The clock of the replica that made the code may be ahead by this number of slots.
_MAX_SKEW = 7

# Numbers of characters. Each has 5 bits.
_TIME, _CALL_TAG, _TAG = 2, 2, 8


class UsedOnce:
    """Texts that this process consumed during the last `lifetime` seconds. Other replicas have their own."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._expiry: dict[str, float] = {}

    def __contains__(self, text: str) -> bool:
        return self._expiry.get(text, 0.0) > time.time()

    def consume(self, text: str) -> bool:
        """Mark a text as used, and return whether it was unused."""
        now = time.time()
        self._expiry = {used: expiry for used, expiry in self._expiry.items() if expiry > now}
        unused = text not in self._expiry
        self._expiry.setdefault(text, now + self._lifetime)
        return unused


@dataclass(frozen=True, slots=True)
class Subject:
    """What a code confirms. `call` identifies the caller, the tool and the arguments; `effect` is their effect."""

    call: str
    effect: str


class ConfirmationCodes:
    """Makes codes, and accepts each of them once.

    A code is a message authentication code of a call, its effect and the time. It needs no storage, so each process
    with the same secrets accepts it. The first secret makes codes, and each of them verifies codes.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [_derive_key(secret) for secret in secrets]
        self._used = UsedOnce((_MAX_AGE + 1 + _MAX_SKEW) * _SLOT_SECONDS)

    def make(self, subject: Subject) -> str:
        """Return a code for a call with this effect."""
        now = _current_slot()
        # The same call can be confirmed twice in a slot, and then it needs another code.
        codes = (_code(self._keys[0], slot, subject) for slot in range(now, now - _MAX_AGE, -1))
        code = next((code for code in codes if code not in self._used), _code(self._keys[0], now, subject))
        return f"{code[:4]}-{code[4:8]}-{code[8:]}"

    def redeem(self, text: str, subject: Subject) -> CodeProblem | None:
        """Use up a code, and return None; or return why it does not confirm a call with this effect."""
        code = text.upper().translate(_LOOK_ALIKES)
        if len(code) != _TIME + _CALL_TAG + _TAG or not set(code) <= set(_ALPHABET):
            return "unknown"
        now = _current_slot()
        age = (now - _decode(code[:_TIME]) + _MAX_SKEW) % _WINDOW - _MAX_SKEW
        expected = [_code(key, now - age, subject) for key in self._keys]
        same_call = any(hmac.compare_digest(code[:-_TAG], other[:-_TAG]) for other in expected)
        if not any(hmac.compare_digest(code, other) for other in expected):
            return "unknown" if not same_call else "expired" if age > _MAX_AGE else "changed"
        if age > _MAX_AGE:
            return "expired"
        return None if self._used.consume(code) else "used"


def _current_slot() -> int:
    return int(time.time() // _SLOT_SECONDS)


def _derive_key(secret: str) -> bytes:
    return hashlib.sha256(f"core13-mcp confirmation code\0{secret}".encode()).digest()


def _code(key: bytes, slot: int, subject: Subject) -> str:
    """Return the time, a short tag of the call, which explains a refused code, and the tag of everything."""
    call_tag = _tag(key, ["call", slot, subject.call], _CALL_TAG)
    return _encode(slot, _TIME) + call_tag + _tag(key, ["effect", slot, subject.call, subject.effect], _TAG)


def _tag(key: bytes, content: list[str | int], length: int) -> str:
    digest = hmac.digest(key, json.dumps(content).encode(), "sha256")
    return _encode(int.from_bytes(digest, "big"), length)


def _encode(number: int, length: int) -> str:
    """Return the lowest `length` digits of a number."""
    return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(length)))


def _decode(text: str) -> int:
    return sum(_ALPHABET.index(digit) << 5 * place for place, digit in enumerate(reversed(text)))
