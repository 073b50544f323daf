"""Describes lists of recipients and changes of them. Pure, standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .addresses import describe_recipient, is_plain

# A list of at most this length is shown whole; of a longer one, only the changes.
MAX_UNCHANGED = 20

# Of more recipients than this, the rest is described by domain.
MAX_LISTED = 100
_MAX_DOMAINS = 20


def split_recipients(value: Any) -> list[str]:
    """Return the different entries of a comma-separated text."""
    entries = value.split(",") if isinstance(value, str) else ()
    return list(dict.fromkeys(entry.strip() for entry in entries if entry.strip()))


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 recipient" or "2 recipients"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def describe_recipients(value: Any) -> str:
    """Return all recipients, with their number if there are several."""
    entries = split_recipients(value)
    prefix = "" if len(entries) == 1 else f"{count(len(entries), 'recipient')}: "
    return prefix + _listed(entries) if entries else "nobody"


def describe_change(after: Any, before: Any) -> str:
    """Return the recipients, and which of them are added and removed. A long list has the changes only."""
    new, old = split_recipients(after), split_recipients(before)
    everyone = describe_recipients(after) if len(new) <= MAX_UNCHANGED else count(len(new), "recipient")
    if not isinstance(before, str):
        return f"{everyone if len(new) <= MAX_UNCHANGED else describe_recipients(after)} (those until now are unknown)"
    before_set, after_set = set(old), set(new)
    added = [entry for entry in new if entry not in before_set]
    removed = [entry for entry in old if entry not in after_set]
    return f"{everyone} ({_change('added', added)}; {_change('removed', removed)})"


def count_changes(after: Any, before: Any) -> str | None:
    """Return a text such as "removed 1 recipient, added none", or None without two texts."""
    if not isinstance(after, str) or not isinstance(before, str):
        return None
    new, old = set(split_recipients(after)), set(split_recipients(before))
    numbers = {"removed": len(old - new), "added": len(new - old)}
    parts = (f"{name} {count(number, 'recipient') if number else 'none'}" for name, number in numbers.items())
    return ", ".join(parts)


def _change(what: str, entries: Sequence[str]) -> str:
    return f"{what}: {_listed(entries)}" if entries else f"nobody is {what}"


def _listed(entries: Sequence[str]) -> str:
    if len(entries) > MAX_LISTED:
        # Those with a mark come first, so that they are shown.
        entries = sorted(entries, key=is_plain)
    shown, rest = entries[:MAX_LISTED], entries[MAX_LISTED:]
    listed = ", ".join(map(describe_recipient, shown))
    return f"{listed}, and {len(rest)} more that are not listed here, at {_domains(rest)}" if rest else listed


def _domains(entries: Sequence[str]) -> str:
    """Describe the domains of addresses, those of the fewest addresses first, because they are the unexpected ones."""
    domains = Counter(entry.rpartition("@")[2].lower() for entry in entries)
    rarest = sorted(domains.items(), key=lambda item: item[1])
    listed = ", ".join(_domain(name, number) for name, number in rarest[:_MAX_DOMAINS])
    rest = rarest[_MAX_DOMAINS:]
    more = f" and {count(len(rest), 'other domain')} ({sum(number for _, number in rest)})" if rest else ""
    return listed + more


def _domain(name: str, number: int) -> str:
    return f"{describe_recipient(name)} ({number})"
