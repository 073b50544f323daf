"""Shortens URLs that are credentials. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from ..declarations.model import Declaration

_URL = re.compile(r"(https?://)(?:[^\s/?#@\"'<>,“”]*@)?([^\s/?#@\"'<>,“”]+)([^\s\"'<>,“”]*)", re.IGNORECASE)
_MARK = "/…"
_SHOWN = 4


def mask_urls(text: str) -> str:
    """Shorten every URL of a text to its host and its last four characters."""
    return _URL.sub(_masked, text) if "://" in text else text


def masked(tool: Declaration, value: Any, keep: Collection[Any] = ()) -> Any:
    """Return a JSON value in which the URLs of the declared fields are shortened, wherever they appear.

    The texts in `keep` are not changed: the call that set them shows them.
    """
    urls = [url for part in _fields(value, tool.mask) for url in _urls(part)] if tool.mask else []
    hosts = {url[2].lower() for url in urls if url[0] not in keep}
    return _mask(value, hosts, keep) if hosts else value


def _masked(url: re.Match[str]) -> str:
    scheme, host, rest = url.groups()
    if not rest.strip("/") or rest.startswith(_MARK):
        return f"{scheme}{host}{rest}"
    # The last four characters of a short path are too much of it.
    return f"{scheme}{host}{_MARK}{rest[-_SHOWN:] if len(rest) > 2 * _SHOWN else ''}"


def _fields(value: Any, names: Collection[str]) -> Iterator[Any]:
    """Yield the value of each property with one of these names, at any depth."""
    if isinstance(value, dict):
        for name, part in value.items():
            if name in names:
                yield part
            else:
                yield from _fields(part, names)
    elif isinstance(value, list):
        for part in value:
            yield from _fields(part, names)


def _urls(value: Any) -> Iterator[re.Match[str]]:
    if isinstance(value, str):
        yield from _URL.finditer(value)
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _urls(part)


def _mask(value: Any, hosts: set[str], keep: Collection[Any]) -> Any:
    """Shorten the URLs of these hosts in every string."""
    match value:
        case str() if "://" in value and value not in keep:
            return _URL.sub(lambda url: _masked(url) if url[2].lower() in hosts else url[0], value)
        case dict():
            return {name: _mask(part, hosts, keep) for name, part in value.items()}
        case list():
            return [_mask(part, hosts, keep) for part in value]
        case _:
            return value
