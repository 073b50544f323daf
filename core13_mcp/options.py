"""The description of a setting, and the parsers of its values. Standard library only: `--help` and every start use it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from .keys import KEY, SecretStr, key_problem
from .origins import REGIONS, parse_origin

Parser = Callable[[str], Any]

_BOOLEANS = dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True)
_BOOLEANS |= dict.fromkeys(("0", "false", "f", "no", "n", "off"), False)
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]+")
_SHORTEST_SEAL_KEY = 32


class Option(NamedTuple):
    """One setting: an environment variable, and a command-line flag unless it is secret.

    Attributes:
        parse: Converts the text of a variable or flag. It raises ValueError with the problem and a fix.
        default: The default as text; empty means off, no value or an empty list.
        secret: Whether there is no flag, because every user of a machine can read the flags of a process.
        serve_only: Whether only the command `serve` has the flag.
        implies: A switch that this setting turns on.
        prefix: The start of the variable's name.
        name: The field of `Settings`.
    """

    help: str
    parse: Parser = str
    default: str = ""
    secret: bool = False
    serve_only: bool = False
    implies: str = ""
    prefix: str = "CORE13_"
    name: str = ""

    @property
    def variable(self) -> str:
        return self.prefix + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that shell completion offers."""
        if isinstance(self.parse, Choice):
            return self.parse.values
        return tuple(REGIONS) if self.parse is parse_origin else ()

    @property
    def default_value(self) -> Any:
        if self.default or self.parse in (words, origins, seal_keys):
            return self.parse(self.default)
        return False if self.is_flag else None

    @property
    def is_flag(self) -> bool:
        """Whether the flag takes no value."""
        return self.parse is boolean


def boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError("not a boolean; use true or false")
    return _BOOLEANS[text.lower()]


def switch(text: str) -> bool:
    """Parse a setting that is on by default. Its flag takes a value."""
    if text.lower() not in _BOOLEANS:
        raise ValueError("not a switch; use on or off")
    return _BOOLEANS[text.lower()]


class Choice:
    """A parser that accepts the values of a Literal type only."""

    def __init__(self, literal: object) -> None:
        self.values: tuple[str, ...] = get_args(literal)

    def __call__(self, text: str) -> str:
        if text not in self.values:
            raise ValueError(f"unknown value; use {', '.join(self.values[:-1])} or {self.values[-1]}")
        return text


def number(kind: type[int | float], minimum: float, maximum: float = math.inf) -> Parser:
    """Return a parser of whole numbers (`int`), or of numbers that may have fractions (`float`)."""
    limits = f"of at least {minimum}" if maximum == math.inf else f"from {minimum} to {maximum}"
    fix = f"use a {'whole ' if kind is int else ''}number {limits}"

    def parse(text: str) -> float:
        try:
            # A whole number may be written with a fraction of zero, such as 7.0.
            value = kind(text.removesuffix(".0"))
        except ValueError:
            raise ValueError(f"not a number; {fix}") from None
        # NaN is never in range.
        if not minimum <= value <= maximum:
            raise ValueError(f"not in range; {fix}")
        return value

    return parse


def words(text: str) -> tuple[str, ...]:
    """Parse a list separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def origins(text: str) -> tuple[str, ...]:
    return tuple(map(parse_origin, words(text)))


def api_key(text: str) -> SecretStr:
    if problem := key_problem(text):
        raise ValueError(problem)
    return SecretStr(text)


def cookie(text: str) -> SecretStr:
    """Parse the value of a cookie."""
    if not _COOKIE_VALUE.fullmatch(text):
        raise ValueError("it contains characters that a cookie cannot contain; copy only the value of the cookie")
    return SecretStr(text)


def bearer_token(text: str) -> SecretStr:
    """Parse a token for another server. A PostHog key is refused, because it must not reach that server."""
    if KEY.search(text):
        raise ValueError("it is a PostHog key; use the token that the administrator of the remote server gave you")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it contains characters that a token cannot contain; copy only the token")
    return SecretStr(text)


def seal_keys(text: str) -> tuple[SecretStr, ...]:
    """Parse a list of keys that encrypt confirmations."""
    keys = words(text)
    if any(len(key) < _SHORTEST_SEAL_KEY for key in keys):
        raise ValueError(
            f"a key has fewer than {_SHORTEST_SEAL_KEY} characters; create one with `openssl rand -hex 32`"
        )
    return tuple(map(SecretStr, keys))
