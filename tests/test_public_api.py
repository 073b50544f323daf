"""The package in a program of someone else, as docs/python.md describes it."""

from __future__ import annotations

import asyncio
import importlib
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest
from mcp import Client, ClientSession
from mcp_types import ElicitResult

import core13_mcp
from core13_mcp import Core13Error, build_server
from core13_mcp.declarations.catalog import load
from core13_mcp.settings import OPTIONS, Settings

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
# scripts/agent-libraries runs the example that begins with the packages that it needs.
EXAMPLES = re.findall(r"^```python\n((?!# pip install ).*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
KEY = "phx_planted" + "k" * 32


def test_the_package_exports_four_names():
    assert {name for name in core13_mcp.__all__ if getattr(core13_mcp, name)} == {
        "Core13Error",
        "ServerSettings",
        "__version__",
        "build_server",
    }
    assert not hasattr(core13_mcp, "build")


def test_the_arguments_are_the_settings_of_a_server_in_a_process():
    # A sign-in belongs to the person who runs `core13-mcp login`, and a library may serve others. `token` is for `install`.
    not_arguments = {"log_level", "log_format", "login_dir", "token"}
    arguments = get_type_hints(core13_mcp.ServerSettings)
    assert arguments.keys() == {option.name for option in OPTIONS if not option.serve_only} - not_arguments
    types = get_type_hints(Settings)
    assert {
        name: types[name] for name in ("confirm", "sandbox_era", "read_only", "timeout")
    }.items() <= arguments.items()


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_documentation_run(code, capsys, tmp_path):
    program = tmp_path / "example.py"
    program.write_text(code, "utf-8")
    runpy.run_path(str(program), run_name="__main__")
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert (
        printed == [line.removeprefix("# > ").rstrip() for line in code.splitlines() if line.startswith("# > ")] != []
    )


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"timeout": 0}, "timeout: not in range; use a number from 0.001 to 600"),
        ({"host": "us.posthog.com"}, "host: "),
        ({"personal_api_key": '"phx_quoted"'}, "personal_api_key: "),
        ({"sandbox": True, "tools": ["nosuch-*"]}, "nosuch-*"),
        ({"sandbox": True, "tools_dir": Path("/no/such/directory")}, "/no/such/directory"),
    ],
)
def test_a_setting_that_is_not_valid_is_named(settings, problem):
    with pytest.raises(Core13Error, match=re.escape(problem)):
        build_server(**settings)


def test_a_setting_that_does_not_exist_is_a_type_error():
    arguments: Any = {"http": "8000"}
    with pytest.raises(TypeError, match="unexpected keyword argument 'http'"):
        build_server(**arguments)


def test_variables_of_the_environment_are_not_read(monkeypatch):
    monkeypatch.setenv("CORE13_READ_ONLY", "1")
    monkeypatch.setenv("CORE13_NO_SUCH_SETTING", "1")

    async def tools() -> int:
        async with Client(build_server(sandbox=True)) as client:
            return len((await client.list_tools()).tools)

    assert asyncio.run(tools()) == len(load())


def test_connections_to_one_server_share_a_database_of_the_sandbox(tmp_path):
    server = build_server(sandbox=True, sandbox_db=tmp_path / "sandbox.db", confirm="never", tools=["users-*"])

    async def rename(text: str) -> Any:
        async with Client(server) as client:
            before = await client.call_tool("users-retrieve", {})
            await client.call_tool("users-partial-update", {"role_at_organization": text})
            return before.structured_content

    first, second = asyncio.run(rename("founder")), asyncio.run(rename("engineering"))
    assert (first["role_at_organization"], second["role_at_organization"]) != ("founder", "engineering")
    assert second["role_at_organization"] == "founder"


@pytest.fixture
def fastmcp(monkeypatch) -> Any:
    """The transport for FastMCP with a base class of its own. scripts/agent-libraries runs the example with FastMCP."""
    base = type("ClientTransport", (), {})
    monkeypatch.setitem(sys.modules, "fastmcp", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "fastmcp.client", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "fastmcp.client.transports", SimpleNamespace(ClientTransport=base))
    # Set first, so that the module with this base class is removed after the test.
    monkeypatch.setitem(sys.modules, "core13_mcp.fastmcp", None)
    del sys.modules["core13_mcp.fastmcp"]
    return importlib.import_module("core13_mcp.fastmcp")


class OwnSession(ClientSession):
    """A class of sessions that a client chooses, such as a proxy."""


@pytest.mark.parametrize(
    ("options", "session_class"),
    [({}, ClientSession), ({"transport_options": SimpleNamespace(session_class=OwnSession)}, OwnSession)],
)
def test_the_transport_for_fastmcp_opens_a_session_with_the_settings_of_the_client(fastmcp, options, session_class):
    questions = []

    async def decline(_: Any, params: Any) -> ElicitResult:
        questions.append(params.message)
        return ElicitResult(action="decline")

    async def call() -> tuple[Any, Any]:
        transport = fastmcp.InProcessTransport(build_server(sandbox=True))
        async with transport.connect_session(elicitation_callback=decline, **options) as session:
            await session.initialize()
            tools = await session.list_tools()
            delivery = {"project_id": 1, "id": 1}
            result = await session.call_tool("subscriptions-test-delivery-create", delivery)
            return type(session), (len(tools.tools), result.is_error)

    assert asyncio.run(asyncio.wait_for(call(), 10)) == (session_class, (len(load()), True))
    assert len(questions) == 1


def test_the_key_appears_in_no_error_and_no_repr():
    with pytest.raises(Core13Error) as caught:
        build_server(personal_api_key=f"'{KEY}'")
    assert KEY not in str(caught.value)
    assert KEY not in repr(build_server(personal_api_key=KEY).__dict__)
