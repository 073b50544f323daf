"""Settings that are read and accepted with the standard library only, in a few milliseconds.

`Settings` needs pydantic, which takes 100 ms to import. A start that is simple enough does not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .errors import ConfigurationError
from .files import WatchedFile
from .keys import key_problem
from .options import OPTIONS

_SWITCH = {"1": True, "true": True, "0": False, "false": False}


class StartupSettings(NamedTuple):
    """The settings that decide what a client sees first: the tools, their schemas and the instructions."""

    tools: tuple[str, ...] = ()
    exclude_tools: tuple[str, ...] = ()
    read_only: bool = False
    project_id: int | None = None
    sandbox: bool = False
    # Whether there is a usable API key.
    has_key: bool = False


def read_startup_settings(environ: Mapping[str, str], flags: Mapping[str, str | bool]) -> StartupSettings | None:
    """Read the variables, and the flags over them, if it is certain that every value is valid.

    Each parser accepts only usual forms of its setting, so `Settings` accepts them too and has the same values.

    Returns:
        None if a setting is not valid, not known here or not in its usual form. Then only `Settings` can decide.
    """
    variables = {option.variable for option in OPTIONS}
    if any(name.startswith("CORE13_") and name not in variables for name in environ):
        return None
    texts = {o.name: environ[o.variable].strip() for o in OPTIONS if environ.get(o.variable, "").strip()}
    try:
        values = {name: _PARSERS[name](value) for name, value in {**texts, **flags}.items()}
    except (LookupError, ValueError, ConfigurationError):
        return None
    has_key = "personal_api_key" in values or "personal_api_key_file" in values
    known = {name: value for name, value in values.items() if name in StartupSettings._fields}
    return StartupSettings(**known, has_key=has_key)


def _parse_names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split(","))))


def _parse_switch(value: str | bool) -> bool:
    return value if isinstance(value, bool) else _SWITCH[value]


def _check_key(key: str) -> None:
    if not key or key_problem(key):
        raise ValueError("the key is not usable")


def _check_key_file(path: str) -> None:
    # A pipe, such as `<(pass posthog)` of bash, can be read only once, and `Settings` needs its content.
    if not Path(path).is_file():
        raise ValueError("the key is not in a regular file")
    WatchedFile(Path(path), "the API key", lambda text: _check_key(text.strip())).read()


def _check_host(text: str) -> None:
    from .origins import parse_origin  # urllib takes 3 ms to import, and most starts do not need it

    parse_origin(text)


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"the value is not one of {choices}")
        return text

    return parse


def _number(pattern: str, least: float, most: float) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(pattern, text) or not least <= float(text) <= most:
            raise ValueError("the number has an unusual form or is out of range")
        return int(float(text))

    return parse


def _check_cookie(text: str) -> None:
    if not re.fullmatch("[A-Za-z0-9]+", text):
        raise ValueError("the cookie has unusual characters")


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "personal_api_key": _check_key,
    "personal_api_key_file": _check_key_file,
    "host": _check_host,
    "project_id": _number("[1-9][0-9]{0,14}", 1, 1e15),
    "session_id": _check_cookie,
    "csrf_token": _check_cookie,
    "read_only": _parse_switch,
    "tools": _parse_names,
    "exclude_tools": _parse_names,
    "confirm": _one_of("auto", "always", "never"),
    "timeout": _number(r"[0-9]{1,3}(\.[0-9]{1,6})?", 0.001, 600),
    "max_result_chars": _number("[1-9][0-9]{3,8}", 1000, 1e9),
    "log_level": _one_of("debug", "info", "warning", "error"),
    "log_format": _one_of("text", "json"),
    "sandbox": _parse_switch,
}
