"""Combine the entry that `install` writes with the entry that the client's file already has. Pure functions.

An entry is compared by its leaves: a field, a member of an object such as `env`, or a name in a list of variables.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from ..settings import OPTIONS
from .client import Client
from .entries import KEY, REMOTE_SECRETS, ServerEntry, written_fields

KEY_FILE, SANDBOX = "POSTHOG_PERSONAL_API_KEY_FILE", "CORE13_SANDBOX"

Leaf = tuple[str, ...]

# The value of a name in a list.
_LISTED = object()

_OWN_PROGRAM = re.compile(r"(.*[\\/])?core13[-_]mcp(\.exe)?(@.*)?", re.DOTALL)
_OFF = ("", "0", "false", "no", "off")
_SECRET_HEADERS = {secret.header for secrets in REMOTE_SECRETS.values() for secret in secrets}


class Merged(NamedTuple):
    """The entry to write.

    Attributes:
        kept: Names of the values that only the old entry has, such as `env.HTTPS_PROXY`.
        replaced: Names of the values of the old entry that are changed or removed.
        is_lossy: Whether `install` did not write a replaced value, and no setting of this start replaces it.
    """

    value: dict[str, Any]
    kept: Sequence[str] = ()
    replaced: Sequence[str] = ()
    is_lossy: bool = False


def continued(client: Client, entry: ServerEntry, old: Any) -> ServerEntry:
    """Return the entry with the choices of the old one that no setting changes: its flags, and where its key is."""
    if entry.url or not isinstance(old, dict):
        return entry
    flags = _kept_flags(_own_arguments(client.command(old)) or (), {*entry.variables, *entry.reset})
    env = old.get(client.env_field)
    is_on = {name for name, value in (env.items() if isinstance(env, dict) else ()) if str(value).lower() not in _OFF}
    chosen = is_on - entry.reset | {option.variable for option in OPTIONS if option.flag in flags}
    has_other_source = not chosen.isdisjoint((SANDBOX, KEY_FILE))
    secrets = tuple(secret for secret in entry.secrets if not (has_other_source and secret.variable == KEY))
    return replace(entry, command=[*entry.command, *flags], secrets=secrets)


def merge(client: Client, old: Any, new: dict[str, Any], entry: ServerEntry) -> Merged:
    """Combine an old entry with the new one, which was made from `entry`.

    Values that `install` does not write are kept. A secret in the old entry is kept if this start has no value for it.
    Headers are kept for the same URL only, because they can contain secrets.
    """
    if not isinstance(old, dict):
        return Merged(new) if old is None else Merged(new, replaced=["the complete entry"], is_lossy=True)
    before, made = _leaves(client, old), _leaves(client, new)
    removed = set(_removed(client, before, made, entry))
    unknown = {name for secret in entry.secrets if secret.value is None for name in (secret.variable, secret.header)}
    placeholders = {"", *(prefix + secret.placeholder for secret in entry.secrets for prefix in ("", secret.prefix))}
    in_file = {
        leaf[1] for leaf, value in before.items() if leaf[1:] and leaf not in removed and str(value) not in placeholders
    }
    written = {leaf: value for leaf, value in made.items() if not (leaf[1:] and leaf[1] in unknown & in_file)}
    # In the order of the old entry.
    after = {leaf: value for leaf, value in before.items() if leaf in written or leaf not in removed} | written
    replaced = [leaf for leaf, value in before.items() if leaf not in after or after[leaf] != value]
    kept = [leaf for leaf, value in after.items() if leaf not in made or made[leaf] != value]
    is_lossy = not _own_leaves(client, old, entry).issuperset(replaced)
    return Merged(_entry(after), [*map(".".join, kept)], [*map(".".join, replaced)], is_lossy)


def is_generated(client: Client, old: Any, entry: ServerEntry) -> bool:
    """Whether an entry starts or calls the same server as the new one, and has only what `install` writes."""
    if not isinstance(old, dict):
        return False
    words, url = client.command(old), old.get(client.url_field or "")
    if words[: len(entry.command)] != [*entry.command] or url != entry.url:
        return False
    names = {option.variable for option in OPTIONS} | _SECRET_HEADERS
    leaves = _leaves(client, old)
    return all(leaf[0] in written_fields(client) and names.issuperset(leaf[1:]) for leaf in leaves)


def _removed(
    client: Client, before: Mapping[Leaf, Any], made: Mapping[Leaf, Any], entry: ServerEntry
) -> Iterator[Leaf]:
    """Yield the leaves of an old entry that are wrong beside the new ones."""
    url = (client.url_field or "",)
    is_same_server = before.get(url) == made.get(url)
    passes_on = client.env_names_field is not None
    given = {secret.variable for secret in entry.secrets if secret.value is not None}
    names = {*entry.reset, *([KEY] if KEY_FILE in entry.variables else [])}
    if entry.url:
        names = _SECRET_HEADERS - {secret.header for secret in entry.secrets}
    for leaf in before:
        is_member = len(leaf) > 1
        if (leaf[0] in written_fields(client) and not (is_same_server and is_member)) or (
            is_member and (leaf[1] in names or (leaf[0] == client.env_field and leaf[1] in given and passes_on))
        ):
            yield leaf


def _own_arguments(words: Sequence[str]) -> Sequence[str] | None:
    """Return the arguments of a command that starts this server; None for another command, such as a container."""
    for index, before in enumerate((r".*", r"(.*[\\/])?uvx(\.exe)?", "-m")):
        if words[index:] and _OWN_PROGRAM.fullmatch(words[index]) and re.fullmatch(before, words[max(0, index - 1)]):
            arguments = words[index + 1 :]
            return arguments[1:] if arguments[:1] == ["serve"] else arguments
    return None


def _kept_flags(arguments: Sequence[str], changed: Collection[str]) -> list[str]:
    """Return the arguments without the flags of settings that have a new value."""
    options = {option.flag: option for option in OPTIONS}
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        option = options.get(word.partition("=")[0])
        values = [] if option is None or option.is_flag or "=" in word else list(islice(words, 1))
        if option is None or option.variable not in changed:
            kept += [word, *values]
    return kept


def _own_leaves(client: Client, old: Mapping[str, Any], entry: ServerEntry) -> set[Leaf]:
    """Return the leaves of an old entry that may be replaced without a copy."""
    given = [secret for secret in entry.secrets if secret.value is not None]
    names = {*entry.variables, *entry.reset, *(secret.variable for secret in given)}
    leaves: set[Leaf] = {(client.env_field, name) for name in names}
    leaves |= {("headers", secret.header) for secret in given}
    if entry.command and _own_arguments(client.command(old)) is not None:
        leaves |= {(client.program_field,), (client.arguments_field or "",)}
    return leaves


def _leaves(client: Client, entry: Mapping[str, Any]) -> dict[Leaf, Any]:
    leaves: dict[Leaf, Any] = {}
    for name, item in entry.items():
        if isinstance(item, dict) and name in (client.env_field, client.header_names_field, "headers"):
            leaves |= {(name, member): value for member, value in item.items()}
        elif isinstance(item, list) and name == client.env_names_field and all(isinstance(part, str) for part in item):
            leaves |= {(name, member): _LISTED for member in item}
        else:
            leaves[name,] = item
    return leaves


def _entry(leaves: Mapping[Leaf, Any]) -> dict[str, Any]:
    """Return the entry with these leaves."""
    entry: dict[str, Any] = {}
    for (name, *members), value in leaves.items():
        if not members:
            entry[name] = value
        elif value is _LISTED:
            entry.setdefault(name, []).append(members[0])
        else:
            entry.setdefault(name, {})[members[0]] = value
    return entry
