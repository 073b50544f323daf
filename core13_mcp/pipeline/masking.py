"""Shortens URLs that are credentials. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from ..declarations.model import Declaration
from ..templates.addresses import visible_end

_URL = re.compile(r"(https?://)(?:[^\s/?#@\"'<>,“”]*@)?([^\s/?#@\"'<>,“”]+)([^\s\"'<>,“”]*)", re.IGNORECASE)
_MARK = "/…"


def mask_urls(text: str) -> str:
    """Shorten every URL of a text to its host and its last four characters."""
    return _URL.sub(_masked, text) if "://" in text else text


def masked(tool: Declaration, value: Any, keep: Collection[Any] = ()) -> Any:
    """Return a JSON value in which the URLs of the declared fields are shortened, wherever they appear.

    The texts in `keep` are not changed: the call that set them shows them.
    """
    if not tool.mask:
        return value
    texts: list[str] = []
    _collect(value, tool.mask, texts, is_masked=False)
    hosts = {host.lower() for text in texts if text not in keep for _, host, _ in _URL.findall(text)}
    return _mask(value, hosts, keep) if hosts else value


def _masked(url: re.Match[str]) -> str:
    scheme, host, rest = url.groups()
    if not rest.strip("/") or rest.startswith(_MARK):
        return f"{scheme}{host}{rest}"
    return f"{scheme}{host}{_MARK}{visible_end(rest)}"


def _collect(value: Any, names: Collection[str], texts: list[str], is_masked: bool) -> None:
    """Add every text with a URL that is in a property with one of these names, at any depth."""
    if isinstance(value, str):
        if is_masked and "://" in value:
            texts.append(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, (str, dict, list)):
                _collect(part, names, texts, is_masked or name in names)
    elif isinstance(value, list):
        for part in value:
            _collect(part, names, texts, is_masked)


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
