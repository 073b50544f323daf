"""Runs `doctor` in this process, with an API and a client that works."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core13_mcp.cli.main import main
from core13_mcp.identity import VERSION

from .broken_setups import FAKE_SERVER, SANDBOX, sandbox_api, write_config, write_program


@dataclass(frozen=True)
class Report:
    """The output of `doctor --json`."""

    status: int
    findings: list[dict[str, str]]
    text: str

    def finding(self, check: str, status: str | None = None) -> dict[str, str]:
        matching = [one for one in self.findings if one["check"] == check and status in (None, one["status"])]
        assert matching, self.text
        return matching[0]

    @property
    def wrong(self) -> list[str]:
        return [one["check"] for one in self.findings if one["status"] == "wrong"]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Callable[..., Report]:
    """Runs the command with flags and environment variables."""

    def run(*flags: str, **variables: str) -> Report:
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            status = main(["doctor", "--json", *flags])
        text = capsys.readouterr().out
        return Report(status, json.loads(text)["findings"], text)

    return run


@pytest.fixture
def fake_server(home: Path, tmp_path: Path) -> str:
    """A client with a working server, so that no test waits for the start of a real one."""
    program = write_program(tmp_path / "core13-mcp", FAKE_SERVER % VERSION)
    write_config(home, "windsurf", {"command": program, "env": SANDBOX})
    return program


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    with sandbox_api() as origin:
        yield origin
