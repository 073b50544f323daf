"""The reasons of findings that no test of a whole set-up reaches."""

from __future__ import annotations

import socket

import httpx2

from core13_mcp.settings import Settings
from core13_mcp.setup.doctor.finding import from_network_error
from core13_mcp.setup.doctor.settings import check_key

from ...factories import store_sign_in


def test_a_name_server_that_does_not_answer_is_reported_with_the_host():
    error = httpx2.ConnectError("")
    error.__cause__ = socket.gaierror(socket.EAI_AGAIN, "")
    finding = from_network_error(error, "https://posthog.example")
    assert finding.status == "wrong" and "posthog.example" in finding.message


def test_the_sign_in_is_the_source_of_the_credentials(tmp_path):
    store_sign_in(tmp_path / "sign-in", user="ada@analytical.example")

    _, finding = check_key(Settings(login_dir=str(tmp_path / "sign-in")), has_clients=False)

    assert finding.status == "ok"
    assert "ada@analytical.example" in finding.message and "planted" not in finding.message
