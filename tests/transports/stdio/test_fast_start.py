"""The first answers, which are computed before the SDK is imported, compared with the SDK's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from core13_mcp.compose.engine import context_provider, credential_provider
from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.errors import Core13Error
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.server.seal_keys import read_seal_keys
from core13_mcp.settings import Settings
from core13_mcp.transports.stdio.fast_start import FastStart, first_results
from core13_mcp.transports.stdio.first_requests import HANDSHAKE_VERSIONS, MODERN_VERSION, parse_first_request
from core13_mcp.transports.stdio.framing import JSONRPCStream

from ...processes import clean_environment, run_cli
from .peer import CLIENT_INFO, INITIALIZE, TIMEOUT, connected_stdio, lines, message, peer

KEY = "phx_" + "k" * 40
INITIALIZED = message("notifications/initialized")
SANDBOX = {"CORE13_SANDBOX": "1"}


def first_messages(version: str, capabilities: Any = None, client_info: Any = CLIENT_INFO) -> list[dict[str, Any]]:
    """What a client sends first under a protocol version."""
    capabilities = capabilities or {}
    if version == MODERN_VERSION:
        values = {"protocolVersion": version, "clientCapabilities": capabilities, "clientInfo": client_info}
        meta = {f"io.modelcontextprotocol/{name}": value for name, value in values.items()}
        methods = ("server/discover", "tools/list", "prompts/list")
        return [message(method, f"q{number}", _meta=meta) for number, method in enumerate(methods)]
    params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client_info}
    return [
        message("initialize", "q0", **params),
        INITIALIZED,
        message("tools/list", "q1"),
        message("prompts/list", "q2"),
    ]


class Pipes(NamedTuple):
    """A fast start and the client's ends of its pipes."""

    fast_start: FastStart
    to_server: int
    from_server: int

    def exchange(self, *messages: dict[str, Any] | bytes) -> list[Any]:
        """Send messages, let the fast start answer, and return its responses."""
        for content in messages:
            os.write(self.to_server, content if isinstance(content, bytes) else lines(content))
        self.fast_start.answer()
        os.set_blocking(self.from_server, False)
        try:
            return [json.loads(line) for line in os.read(self.from_server, 1 << 20).splitlines()]
        except BlockingIOError:
            return []


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    (source, to_server), (from_server, sink) = os.pipe(), os.pipe()
    yield Pipes(FastStart(first_results(Settings(sandbox=True)), source, sink), to_server, from_server)
    for descriptor in (source, to_server, from_server, sink):
        with suppress(OSError):
            os.close(descriptor)


def sdk_responses(chosen: Settings, messages: list[dict[str, Any]]) -> list[Any]:
    """The responses of the complete server, which receives the messages one after the other."""

    async def serve() -> list[Any]:
        source, responses = asyncio.StreamReader(), list[Any]()

        async def write(line: bytes) -> None:
            responses.append(json.loads(line))

        stream = JSONRPCStream(source, write)
        catalog = enabled_tools(chosen)
        async with context_provider(chosen) as get_context:
            server = build_server(catalog, lambda _: get_context(), instructions(chosen, len(catalog), len(load())))
            with anyio.fail_after(TIMEOUT):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(server.run, stream, stream, server.create_initialization_options())
                    for content in messages:
                        before = len(responses)
                        source.feed_data(lines(content))
                        while "id" in content and len(responses) == before:
                            await anyio.lowlevel.checkpoint()
                    source.feed_eof()
        return responses

    return anyio.run(serve)


def test_the_protocol_versions_are_those_of_the_sdk():
    assert (HANDSHAKE_VERSIONS, (MODERN_VERSION,)) == (HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS)


def with_progress_token(content: dict[str, Any], token: str | int) -> dict[str, Any]:
    params = content.get("params", {})
    return {**content, "params": {**params, "_meta": {**params.get("_meta", {}), "progressToken": token}}}


@pytest.mark.smoke
@pytest.mark.parametrize("token", [None, 0, "t"])
@pytest.mark.parametrize("version", [*HANDSHAKE_VERSIONS, MODERN_VERSION])
def test_the_answers_equal_those_of_the_sdk(version, token, pipes):
    # Codex and Copilot CLI ask for progress of `tools/list`.
    messages = [
        with_progress_token(content, token) if token is not None and "/list" in content["method"] else content
        for content in first_messages(version)
    ]
    responses = pipes.exchange(*messages)
    assert len(responses) == 3
    assert responses == sdk_responses(Settings(sandbox=True), messages)


VALID = {
    "POSTHOG_PERSONAL_API_KEY": [KEY, f" {KEY} "],
    "POSTHOG_HOST": ["us", "eu", "https://a.example", "http://127.0.0.1:9"],
    "POSTHOG_PROJECT_ID": ["7", "123456789012345", " 7 "],
    "POSTHOG_SESSION_ID": ["abc123"],
    "CORE13_READ_ONLY": ["1", "0", "true", "false"],
    "CORE13_TOOLS": ["users-*", "users-list, subscriptions-*", "*", ","],
    "CORE13_EXCLUDE_TOOLS": ["users-*", "*-list", "*"],
    "CORE13_CONFIRM": ["auto", "always", "never"],
    "CORE13_TIMEOUT": ["30", "0.5", "600", "600.0"],
    "CORE13_MAX_RESULT_CHARS": ["1000", "40000"],
    "CORE13_LOG_LEVEL": ["error", "info"],
    "CORE13_LOG_FORMAT": ["text", "json"],
    "CORE13_SANDBOX": ["1", "true", "0", ""],
}
UNUSUAL = {
    "POSTHOG_PERSONAL_API_KEY": ["phc_" + KEY, "phx_a b", "${KEY}"],
    "POSTHOG_PERSONAL_API_KEY_FILE": ["/dev/null", "/no/such/file"],
    "POSTHOG_HOST": ["http://a.example", "us.i.posthog.com", "US", "https://u:p@a.example"],
    "POSTHOG_PROJECT_ID": ["0", "-1", "7.0", "07", "+7", "7_0", "x", "9" * 30],
    "POSTHOG_SESSION_ID": ["a;b", "é", "a-b"],
    "CORE13_READ_ONLY": ["yes", "maybe", "2"],
    "CORE13_TOOLS": ["nothing", "*,users-x"],
    "CORE13_TOOLS_DIR": ["/no/such/folder"],
    "CORE13_CONFIRM": ["Never", "ask"],
    "CORE13_TIMEOUT": ["0", "0.0", "600.1", "601", "1e2", "-1", "inf", "nan"],
    "CORE13_MAX_RESULT_CHARS": ["999", "4e4", "1000.5", "0999"],
    "CORE13_LOG_LEVEL": ["INFO", "trace"],
    "CORE13_SANDBOX_DB": ["/no/such/file.db"],
    "CORE13_SEAL_KEYS_FILE": ["/no/such/file"],
    "CORE13_AUTH": ["none", "all"],
    "CORE13_TIMOUT": ["5"],
}
valid_settings = some.fixed_dictionaries({}, optional={name: some.sampled_from(texts) for name, texts in VALID.items()})
unusual_setting = some.sampled_from([{name: text} for name, texts in UNUSUAL.items() for text in texts])
some_settings = valid_settings | some.builds(dict.__or__, valid_settings, unusual_setting)


def check_start(environ: Mapping[str, str]) -> Settings | None:
    """Return the settings if the complete server starts with them."""
    try:
        chosen = Settings.read(environ)
        enabled_tools(chosen)
        credential_provider(chosen)
        read_seal_keys(chosen)
    except Core13Error:
        return None
    return chosen


def fast_responses(environ: Mapping[str, str], messages: list[dict[str, Any]]) -> list[Any]:
    """The responses of the fast start; none if it finds an error in the settings."""
    with connected_stdio() as connected:
        try:
            return Pipes(FastStart.open(Settings.read(environ)), *connected).exchange(*messages)
        except Core13Error:
            return []


@given(environ=some_settings, version=some.sampled_from([*HANDSHAKE_VERSIONS, MODERN_VERSION]))
@settings(max_examples=150)
def test_under_any_settings_the_answers_equal_those_of_the_sdk_or_are_left_to_it(environ, version):
    messages, chosen = first_messages(version), check_start(environ)
    responses = fast_responses(environ, messages)
    supported = not environ.keys() & {"CORE13_SANDBOX_DB", "POSTHOG_PERSONAL_API_KEY_FILE"}
    assert bool(responses) == (chosen is not None and supported)
    if chosen is not None and responses:
        assert responses == sdk_responses(chosen, messages)


@pytest.mark.parametrize(
    "environ",
    [
        {"POSTHOG_PERSONAL_API_KEY": "phc_public0000"},
        SANDBOX | {"CORE13_TIMEOUT": "0"},
        SANDBOX | {"CORE13_TOOLS": "nothing"},
        SANDBOX | {"CORE13_SEAL_KEYS_FILE": "/no/such/file"},
    ],
    ids=str,
)
def test_a_server_with_wrong_settings_answers_nothing_and_exits_with_status_2(environ):
    ended = run_cli("serve", stdin=lines(*first_messages("2025-06-18")).decode(), **environ)
    assert (ended.returncode, ended.stdout) == (2, "") and ended.stderr.startswith("core13-mcp: ")


@pytest.mark.parametrize(
    ("environ", "variable", "wrong"),
    [({}, "POSTHOG_PERSONAL_API_KEY_FILE", "phc_" + KEY), (SANDBOX, "CORE13_SEAL_KEYS_FILE", "short")],
)
def test_a_file_with_keys_is_read_if_it_is_a_regular_file(environ, variable, wrong, tmp_path):
    file, messages = tmp_path / "key", first_messages("2025-06-18")
    environ = environ | {variable: str(file)}
    for content, answered in ((f"{KEY}\n", 3), (wrong, 0), ("", 0)):
        file.write_text(content)
        assert len(fast_responses(environ, messages)) == answered
    file.unlink()
    os.mkfifo(file)
    assert fast_responses(environ, messages) == [], "reading a pipe would take the keys from the server"


UNUSUAL_MESSAGES: list[dict[str, Any]] = [
    {"id": 1.5},
    {"id": 'a"b'},
    {"jsonrpc": "1.0"},
    {"more": 1},
    {"method": "ping"},
    {"method": "tools/list"},
    {"method": "notifications/initialized"},
    {"params": None},
    {"params": INITIALIZE | {"_meta": {}}},
    {"params": INITIALIZE | {"protocolVersion": MODERN_VERSION}},
    {"params": INITIALIZE | {"protocolVersion": []}},
    {"params": INITIALIZE | {"capabilities": []}},
    {"params": INITIALIZE | {"capabilities": {"roots": True}}},
    {"params": INITIALIZE | {"capabilities": {"tasks": {"requests": {"sampling": True}}}}},
    {"params": INITIALIZE | {"clientInfo": CLIENT_INFO | {"icons": []}}},
    {"params": INITIALIZE | {"clientInfo": CLIENT_INFO | {"name": 1}}},
]
UNUSUAL_LINES = [b"", b"{", b"[]", b"\xff", b'{"jsonrpc":"2.0","id":1,"id":2,"method":"initialize"}']


@pytest.mark.parametrize(
    "line",
    [*(lines(message("initialize", 1, **INITIALIZE) | change) for change in UNUSUAL_MESSAGES), *UNUSUAL_LINES],
    ids=[*map(str, UNUSUAL_MESSAGES), *map(str, UNUSUAL_LINES)],
)
def test_an_unusual_first_line_is_left_to_the_sdk(line, pipes):
    line = line.rstrip(b"\n") + b"\n"
    assert pipes.exchange(line) == []
    assert pipes.fast_start.detach() == (line, set(), False)


VSCODE = {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {"form": {}, "url": {}}}
VSCODE |= {
    "tasks": {"list": {}, "requests": {"sampling": {"createMessage": {}}}},
    "extensions": {"io.x/ui": {"a": [1]}},
}
CURSOR = {"tools": True, "prompts": True, "resources": True, "logging": False, "roots": {"listChanged": False}}


@pytest.mark.parametrize("capabilities", [{}, VSCODE, CURSOR], ids=["none", "VS Code", "Cursor"])
def test_the_capabilities_of_common_clients_are_accepted(capabilities, pipes):
    initialize = message("initialize", 1, **INITIALIZE | {"capabilities": capabilities})
    assert pipes.exchange(initialize) == sdk_responses(Settings(sandbox=True), [initialize])


json_values: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.integers(0, 9) | some.text(max_size=3),
    lambda values: some.lists(values, max_size=2) | some.dictionaries(some.sampled_from("ab"), values, max_size=2),
    max_leaves=4,
)
objects: some.SearchStrategy[Any] = some.dictionaries(
    some.sampled_from(["listChanged", "form", "list"]), json_values | some.just({})
)
some_capabilities = some.dictionaries(
    some.sampled_from(["roots", "sampling", "elicitation", "tasks", "experimental", "extensions", "tools", "x"]),
    objects | json_values,
    max_size=3,
)
names = some.text() | some.just("a")
some_client_info = some.fixed_dictionaries({"name": names, "version": names}, optional={"title": names})


@given(some_capabilities, some_client_info, some.sampled_from([*HANDSHAKE_VERSIONS, MODERN_VERSION]))
@settings(max_examples=150)
def test_every_accepted_first_request_is_one_that_the_sdk_accepts(capabilities, client_info, version):
    first = first_messages(version, capabilities, client_info)[0]
    line = json.dumps(first, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if parse_first_request(line, None) is not None:
        assert "result" in sdk_responses(Settings(sandbox=True), [first])[0]


FIRST = first_messages("2025-06-18")


@pytest.mark.parametrize(
    ("messages", "answered"),
    [
        ([FIRST[0], message("ping", 5), *FIRST[1:]], ["q0"]),
        ([*FIRST, message("tools/list", "q1")], ["q0", "q1", "q2"]),
        ([FIRST[0], *FIRST[2:]], ["q0"]),
        ([FIRST[0], first_messages(MODERN_VERSION)[1]], ["q0"]),
        ([first_messages(MODERN_VERSION)[0], FIRST[2]], ["q0"]),
        ([*FIRST[:2], with_progress_token(FIRST[2], True)], ["q0"]),
        ([*FIRST[:2], message("tools/list", "q1", _meta={"progressToken": 1, "other": 1})], ["q0"]),
    ],
    ids=[
        "unknown method",
        "same id twice",
        "no notification",
        "modern list",
        "no version",
        "boolean",
        "other metadata",
    ],
)
def test_an_unexpected_message_and_all_that_follow_are_left_to_the_sdk(messages, answered, pipes):
    data = lines(*messages) + b'{"jsonrpc":'
    assert [response["id"] for response in pipes.exchange(data)] == answered
    assert pipes.exchange(lines(message("tools/list", 6))) == []
    assert pipes.fast_start.detach() == (data, set(answered), False)


def test_a_client_that_sends_more_after_a_response_is_interactive(pipes):
    for content in FIRST[:2]:
        pipes.exchange(content)
    assert pipes.fast_start.detach() == (lines(*FIRST[:2]), {"q0"}, True)


@pytest.mark.parametrize("log_format", ["text", "unknown"])
def test_sigterm_before_the_sdk_is_imported_ends_the_process_also_if_the_log_fails(log_format, monkeypatch, capsys):
    def exit_process(status: int) -> NoReturn:
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", exit_process)
    if log_format == "unknown":
        monkeypatch.setitem(sys.modules, "core13_mcp.logs", None)
    with connected_stdio(), pytest.raises(SystemExit, match="0"):
        FastStart.open(Settings(sandbox=True))
        signal.raise_signal(signal.SIGTERM)
    assert capsys.readouterr().err.endswith(" info stopped: SIGTERM\n" if log_format == "text" else "")


def test_a_client_that_does_not_read_yet_may_have_a_non_blocking_pipe():
    messages = [*first_messages("2025-06-18"), *(message("tools/list", number) for number in range(9))]
    received = bytearray()
    with connected_stdio() as (to_server, from_server):

        def receive() -> None:
            while received.count(b"\n") < 12:
                received.extend(os.read(from_server, 1 << 16))

        reader = threading.Thread(target=receive, daemon=True)
        os.set_blocking(1, False)
        os.write(to_server, lines(*messages))
        fast_start = FastStart.open(Settings(sandbox=True))
        reader.start()
        fast_start.answer()
        reader.join(TIMEOUT)
    assert [json.loads(line)["id"] for line in received.splitlines()] == ["q0", "q1", "q2", *range(9)]


@pytest.mark.parametrize("end", ["to_server", "from_server"])
def test_pipes_that_the_client_has_closed_are_left_to_the_sdk(end, pipes):
    line = lines(first_messages("2025-06-18")[0])
    os.write(pipes.to_server, line)
    os.close(getattr(pipes, end))
    pipes.fast_start.answer()
    pipes.fast_start.answer()
    assert pipes.fast_start.detach() == (line, {"q0"}, False)


def test_a_fast_start_imports_neither_the_sdk_nor_pydantic_nor_asyncio():
    # The child ends at the first import of one of these packages. By then it has answered.
    code = """
import sys
class Stop:
    def find_spec(name, *_):
        if name in ("anyio", "asyncio", "mcp", "pydantic"):
            sys.exit(7)
sys.meta_path.insert(0, Stop)
from core13_mcp.cli.main import main
main(["serve", "--sandbox"])
"""
    data, environment = lines(*first_messages("2025-06-18")), clean_environment()
    ended = subprocess.run(
        [sys.executable, "-c", code], check=False, input=data, capture_output=True, timeout=60, env=environment
    )
    assert (ended.returncode, len(ended.stdout.splitlines()), ended.stderr) == (7, 3, b"")


@pytest.mark.anyio
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_a_signal_after_the_first_answer_ends_the_server_at_once(number, status):
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.send(first_messages("2025-06-18")[0])
        await client.receive()
        client.process.send_signal(number)
        assert await client.wait() == (status, "")


@pytest.mark.smoke
@pytest.mark.anyio
async def test_a_call_after_the_first_answers_is_answered_in_the_same_session():
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.send(*first_messages("2025-06-18"))
        assert [(await client.receive())["id"] for _ in range(3)] == ["q0", "q1", "q2"]
        await client.send(message("tools/call", 3, name="users-list", arguments={}), message("tools/list", 4))
        assert {(await client.receive())["id"] for _ in range(2)} == {3, 4}
        await client.close()
        assert await client.wait() == (0, "")
