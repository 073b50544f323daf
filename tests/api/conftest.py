"""All tests of the API client trust the test certificate and use no proxy."""

from __future__ import annotations

import pytest

from .servers import CERTIFICATE, SetEnvironment


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> SetEnvironment:
    """Trust the test certificate, use no proxy, and return a function that sets variables."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables
