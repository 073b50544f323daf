"""SSL_CERT_FILE and SSL_CERT_DIR are checked at the start, and used for every TLS connection."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core13_mcp.api.transport import PoolTransport
from core13_mcp.api.trust import check_trust_store
from core13_mcp.errors import ConfigurationError

from ..fake_api import KEY
from ..processes import run_cli
from .servers import CERTIFICATE, EXPIRED_CERTIFICATE, answer_all, serve
from .test_transport import fetch

HTTPS = "https://127.0.0.1:9"
# The name that OpenSSL looks for: the hash of the subject of the test certificate.
HASHED_NAME = "f521daae.0"


def missing(folder: Path) -> str:
    return str(folder / "none")


def empty(folder: Path) -> str:
    (folder / "empty").touch()
    return str(folder / "empty")


def garbage(folder: Path) -> str:
    (folder / "garbage").write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    return str(folder / "garbage")


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe")
    return str(folder / "pipe")


def unhashed(folder: Path) -> str:
    (folder / "ca.pem").write_bytes(CERTIFICATE.read_bytes())
    return str(folder)


def hashed_garbage(folder: Path) -> str:
    (folder / HASHED_NAME).write_text("garbage")
    return str(folder)


def loop(folder: Path) -> str:
    (folder / HASHED_NAME).symlink_to(folder / HASHED_NAME)
    return str(folder)


UNUSABLE: list[tuple[str, Callable[[Path], str], str]] = [
    ("SSL_CERT_FILE", missing, "there is no file"),
    ("SSL_CERT_FILE", empty, "contains no certificates in PEM format"),
    ("SSL_CERT_FILE", garbage, "contains no certificates in PEM format"),
    ("SSL_CERT_FILE", str, "is not a file"),
    ("SSL_CERT_FILE", pipe, "is not a file"),
    ("SSL_CERT_DIR", missing, "cannot be read: No such file or directory"),
    ("SSL_CERT_DIR", garbage, "cannot be read: Not a directory"),
    ("SSL_CERT_DIR", str, "has no certificates under hashed names; run `openssl rehash"),
    ("SSL_CERT_DIR", unhashed, "has no certificates under hashed names"),
    ("SSL_CERT_DIR", hashed_garbage, "has no certificates under hashed names"),
    ("SSL_CERT_DIR", loop, "has no certificates under hashed names"),
]


@pytest.mark.parametrize(("variable", "prepare", "problem"), UNUSABLE)
def test_a_value_without_certificates_is_an_error_that_names_the_variable(tmp_path, variable, prepare, problem):
    with pytest.raises(ConfigurationError, match=f"^{variable}: ") as error:
        check_trust_store([HTTPS], {variable: prepare(tmp_path)})
    assert problem in str(error.value) and "or unset the variable" in str(error.value)


def test_an_unreadable_file_is_an_error(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, who can read every file.
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", refuse)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        check_trust_store([HTTPS], {"SSL_CERT_FILE": str(CERTIFICATE)})


@pytest.mark.parametrize(
    ("origin", "variables"),
    [
        (HTTPS, {}),
        (HTTPS, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}),
        (HTTPS, {"SSL_CERT_FILE": str(CERTIFICATE)}),
        ("http://127.0.0.1:9", {"SSL_CERT_FILE": "/none"}),
    ],
)
def test_a_start_needs_usable_certificates_only_for_tls(origin, variables):
    check_trust_store([origin], variables)


@pytest.mark.anyio
@pytest.mark.parametrize("separate", ["", "/none:"], ids=["one directory", "a list with a missing directory"])
async def test_certificates_in_a_directory_and_in_a_file_are_trusted(tmp_path, environment, separate):
    (tmp_path / HASHED_NAME).write_bytes(CERTIFICATE.read_bytes())
    environment(SSL_CERT_DIR=f"{separate}{tmp_path}", SSL_CERT_FILE=str(EXPIRED_CERTIFICATE))
    check_trust_store([HTTPS], os.environ)

    async with serve(answer_all, tls=True) as api, PoolTransport(api.origin) as transport:
        assert await fetch(transport, api.origin) == b"{}"


@pytest.mark.parametrize("command", [["serve"], ["serve", "--http", "0"], ["call", "users-retrieve"]])
def test_serve_and_call_do_not_start_with_an_unusable_file(command):
    run = run_cli(*command, POSTHOG_HOST=HTTPS, POSTHOG_PERSONAL_API_KEY=KEY, SSL_CERT_FILE="/none.pem")

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "core13-mcp: SSL_CERT_FILE: there is no file /none.pem; name a file of certificates in PEM format, or unset the "
        "variable to use the system's certificates\n"
    )


def test_doctor_reports_an_unusable_file_as_a_finding(tmp_path):
    run = run_cli(
        "doctor", HOME=str(tmp_path), POSTHOG_HOST=HTTPS, POSTHOG_PERSONAL_API_KEY=KEY, SSL_CERT_FILE="/none.pem"
    )

    assert (run.returncode, run.stderr) == (1, "")
    assert "wrong  tls" in run.stdout and "SSL_CERT_FILE: there is no file /none.pem" in run.stdout
