"""The certificates that TLS connections trust. Standard library only, because the fast start checks them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

FILE, DIRECTORY = "SSL_CERT_FILE", "SSL_CERT_DIR"

# OpenSSL finds a certificate in a directory by a name that is the hash of its subject.
_HASHED_NAME = re.compile(r"[0-9a-fA-F]{8}\.[0-9]+")


def check_trust_store(origins: Iterable[str], environ: Mapping[str, str]) -> None:
    """Check SSL_CERT_FILE and SSL_CERT_DIR, if one of the origins uses TLS.

    Raises:
        ConfigurationError: A variable names no certificates. Connections would fail in every call.
    """
    if not any(origin.startswith("https:") for origin in origins):
        return
    for variable, check in ((FILE, _file_problem), (DIRECTORY, _directory_problem)):
        problem = check(environ[variable]) if environ.get(variable) else None
        if problem:
            raise ConfigurationError(f"{variable}: {problem}, or unset the variable to use the system's certificates")


def configured_context(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return a context that trusts the certificates of the two variables only; None if neither is set.

    Raises:
        OSError: A variable names no certificates.
    """
    import ssl  # takes 10 ms, and most starts need it only later

    file, directory = environ.get(FILE) or None, environ.get(DIRECTORY) or None
    return ssl.create_default_context(cafile=file, capath=directory) if file or directory else None


def _file_problem(name: str) -> str | None:
    fix = "name a file of certificates in PEM format"
    if not os.path.exists(name):
        return f"there is no file {name}; {fix}"
    if not os.path.isfile(name):
        return f"{name} is not a file; {fix}"
    reason = _unreadable(name)
    return f"{name} {reason}; {fix}" if reason else None


def _directory_problem(names: str) -> str | None:
    """Return why none of the directories in a list, which is separated as PATH is, has a usable certificate."""
    problems = list(map(_one_directory_problem, names.split(os.pathsep)))
    return None if None in problems else problems[0]


def _one_directory_problem(name: str) -> str | None:
    fix = "name a directory of certificates in PEM format"
    try:
        files = [file for file in Path(name).iterdir() if _HASHED_NAME.fullmatch(file.name)]
    except OSError as error:
        return f"the directory {name} cannot be read: {error.strerror}; {fix}"
    # Only the first usable file is read.
    if any(file.is_file() and _unreadable(str(file)) is None for file in files):
        return None
    return f"the directory {name} has no certificates under hashed names; run `openssl rehash {name}`"


def _unreadable(file: str) -> str | None:
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        return "contains no certificates in PEM format"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None
