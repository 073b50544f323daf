"""The secrets that protect confirmations. Standard library only, because the fast start checks them."""

from __future__ import annotations

from pathlib import Path

from ..files import WatchedFile
from ..keys import SecretStr
from ..options import seal_keys
from ..settings import Settings


def read_seal_keys(settings: Settings) -> tuple[str, ...]:
    """Return the secrets that protect confirmations, from their file if there is one.

    Raises:
        ConfigurationError: The file cannot be read, or it contains no usable key.
    """
    keys = settings.seal_keys
    if settings.seal_keys_file is not None:
        keys = WatchedFile(Path(settings.seal_keys_file), "the seal keys", _parse).read()
    return tuple(key.get_secret_value() for key in keys)


def _parse(text: str) -> tuple[SecretStr, ...]:
    keys = seal_keys(",".join(text.splitlines()))
    if not keys:
        raise ValueError("it contains no key; create one with `openssl rand -hex 32`")
    return keys
