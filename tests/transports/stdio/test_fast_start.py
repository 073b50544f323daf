"""The first answers of a connection: the SDK's own, word for word, or none."""

from __future__ import annotations

import asyncio
import json
import os
import re
from argparse import Namespace
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.server import Server
from mcp.types import ListToolsResult

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings
from core13_mcp.transports.stdio import fast_start as front
from core13_mcp.transports.stdio.fast_start import Front, dictation, record
from core13_mcp.transports.stdio.fast_start.dictation import asked_first, dictated
from core13_mcp.transports.stdio.fast_start.frames import question
from core13_mcp.transports.stdio.fast_start.record import Record
from core13_mcp.transports.stdio.fast_start.retelling import retold
from core13_mcp.transports.stdio.framing import JSONRPCStream

from ... import processes as children

pytestmark = pytest.mark.anyio

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
WAYS: tuple[dict[str, Any], ...] = ({}, {"read_only": True}, {"project_id": 7}, {"tools": ("users-*",)})
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
INFO = {"name": "a", "version": "1"}
KEY = "phx_" + "k" * 40


async def served(way: dict[str, Any]) -> AsyncIterator[Server[Any]]:
    chosen = Settings(sandbox=True, **way)
    catalog = enabled_tools(chosen)
    async with context_provider(chosen) as caller:
        yield build_server(catalog, lambda _: caller(), instructions(chosen, len(catalog), len(load())))


@pytest.fixture
async def server() -> AsyncIterator[Server[Any]]:
    async for made in served({}):
        yield made


def conversation(version: str) -> list[dict[str, Any]]:
    """What a client begins with under a version, the ids its own."""
    first, *rest = ({**frame, "id": f"q{frame['id']}"} for frame in asked_first(version))
    return [first, *([INITIALIZED] if first["method"] == "initialize" else []), *rest]


def lines(*frames: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)


class Written:
    """Takes what the server writes."""

    def __init__(self) -> None:
        self.text = b""

    def write(self, line: bytes) -> None:
        self.text += line

    async def drain(self) -> None:
        return None


async def said_by_sdk(
    server: Server[Any], frames: list[dict[str, Any]], answered: set[str | int] | None = None
) -> bytes:
    """What the SDK writes on our wire when it is asked the same, one after the other."""
    source, written = asyncio.StreamReader(), Written()
    wire = JSONRPCStream(source, written, answered=answered or ())  # type: ignore[arg-type] # all it needs of a writer
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, wire.reader, wire.writer, server.create_initialization_options())
            for frame in frames:
                before = written.text
                source.feed_data(lines(frame))
                while "id" in frame and written.text == before and frame["id"] not in (answered or ()):
                    await anyio.lowlevel.checkpoint()
            source.feed_eof()
    return written.text


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "CORE13_SANDBOX": "1"}


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a test are a moment old; real ones are given time to settle."""
    monkeypatch.setattr(record, "SETTLED", -3600.0)


def recorded(environ: dict[str, str], **flags: Any) -> Record:
    found = Record.of(environ, flags)
    assert found is not None
    return found


class Pipes:
    """A front between two pipes, as a client has it."""

    def __init__(self, held: Record, waiting: bytes = b"", gone: bool = False) -> None:
        (source, self.to), (self.out, sink) = os.pipe(), os.pipe()
        self.sink = sink
        self._ends = [source, self.to, sink, *([] if gone else [self.out])]
        if gone:
            os.close(self.out)
        os.write(self.to, waiting)
        self.front = Front(held, source, sink)
        self.front.start()

    async def say(self, data: bytes) -> None:
        os.write(self.to, data)

    async def hear(self, count: int) -> bytes:
        """So many lines that it answers."""
        heard = b""
        with anyio.fail_after(20):
            while heard.count(b"\n") < count:
                await anyio.wait_readable(self.out)
                heard += os.read(self.out, 1 << 16)
        return heard

    def close(self) -> None:
        self.front.hand_over()
        for end in self._ends:
            os.close(end)


@pytest.fixture
async def pipes(environ: dict[str, str], server: Server[Any], settled: None) -> AsyncIterator[Pipes]:
    recorded(environ).write(await dictated(server))
    held = Pipes(recorded(environ))
    yield held
    held.close()


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("version", VERSIONS)
async def test_it_says_what_the_sdk_says_byte_for_byte(version, way, environ, settled):
    asked = conversation(version)
    async for server in served(way):
        recorded(environ).write(await dictated(server))
        pipes = Pipes(recorded(environ))
        await pipes.say(lines(*asked))
        heard = await pipes.hear(3)
        pipes.close()
        assert heard == await said_by_sdk(server, asked)


async def test_the_sdk_sees_the_same_messages_and_its_second_answers_are_dropped(pipes, server):
    asked = conversation("2025-11-25")
    await pipes.say(lines(*asked))
    await pipes.hear(3)
    read, answered = pipes.front.hand_over()
    assert read == lines(*asked)
    assert answered == {"q0", "q1", "q2"}
    ping = {"jsonrpc": "2.0", "id": 9, "method": "ping"}
    assert await said_by_sdk(server, [*asked, ping], answered) == b'{"jsonrpc":"2.0","id":9,"result":{}}\n'


async def test_what_it_does_not_know_is_handed_over_with_all_that_follows(pipes):
    hello, initialized, *rest = conversation("2025-11-25")
    strange = {"jsonrpc": "2.0", "id": 5, "method": "resources/list"}
    await pipes.say(lines(hello, initialized))
    await pipes.hear(1)
    await pipes.say(lines(strange, *rest) + b'{"jsonrpc":')
    pipes.front._thread.join(20)
    read, answered = pipes.front.hand_over()
    assert read == lines(hello, initialized, strange, *rest) + b'{"jsonrpc":'
    assert answered == {"q0"}


async def test_what_a_client_asks_at_once_is_answered_before_anything_else_is_done(environ, server, settled):
    recorded(environ).write(await dictated(server))
    asked = conversation("2025-11-25")
    pipes = Pipes(recorded(environ), lines(*asked))
    os.set_blocking(pipes.out, False)
    assert os.read(pipes.out, 1 << 16) == await said_by_sdk(server, asked)
    pipes.close()


async def test_what_is_not_for_it_is_handed_over_at_once(environ, server, settled):
    recorded(environ).write(await dictated(server))
    ping = lines({"jsonrpc": "2.0", "id": 9, "method": "ping"})
    pipes = Pipes(recorded(environ), ping)
    assert pipes.front._thread is None
    assert pipes.front.hand_over() == (ping, set())
    pipes.close()


async def test_a_client_that_has_gone_is_for_the_sdk_to_find_out(environ, server, settled):
    recorded(environ).write(await dictated(server))
    hello = lines(conversation("2025-11-25")[0])
    pipes = Pipes(recorded(environ), hello, gone=True)
    assert pipes.front.hand_over()[0] == hello
    pipes.close()


async def test_half_a_message_is_handed_over(pipes):
    hello = lines(conversation("2025-11-25")[0])
    await pipes.say(hello + b'{"json')
    await pipes.hear(1)
    assert pipes.front.hand_over() == (hello + b'{"json', {"q0"})


async def test_an_offered_version_that_is_not_known_is_for_the_sdk(pipes):
    hello = conversation("2025-11-25")[0]
    odd = {**hello, "params": {**hello["params"], "protocolVersion": "1999-01-01"}}
    await pipes.say(lines(odd))
    pipes.front._thread.join(20)
    assert pipes.front.hand_over() == (lines(odd), set())


HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": INFO}
CHANGES: tuple[dict[str, Any], ...] = (
    {"id": None},
    {"id": True},
    {"id": 1.5},
    {"id": -1},
    {"id": 'a"b'},
    {"id": "é"},
    {"jsonrpc": "1.0"},
    {"more": 1},
    {"params": None},
    {"params": {}},
    {"params": HELLO | {"_meta": {}}},
    {"params": HELLO | {"capabilities": {"roots": True}}},
    {"params": HELLO | {"capabilities": {"roots": {"listChanged": 1}}}},
    {"params": HELLO | {"capabilities": {"new": {}}}},
    {"params": HELLO | {"clientInfo": {"name": "a"}}},
    {"params": HELLO | {"clientInfo": INFO | {"icons": []}}},
    {"params": HELLO | {"clientInfo": INFO | {"name": float("nan")}}},
)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        *(
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO} | change).encode()
            for change in CHANGES
        ),
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"initialize","params":' + json.dumps(HELLO).encode() + b"}",
    ],
)
async def test_whatever_is_unusual_is_for_the_sdk(line):
    assert question(line, None) is None


parts: st.SearchStrategy[Any] = st.just({}) | st.booleans()
dictionaries: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["listChanged", "form", "url", "tools", "x"]), st.just({}) | st.booleans()
)
offers = st.fixed_dictionaries(
    {
        "protocolVersion": st.sampled_from(VERSIONS[:-1]),
        "capabilities": st.dictionaries(st.sampled_from(["roots", "sampling", "elicitation", "x"]), dictionaries),
        "clientInfo": st.fixed_dictionaries(
            {"name": st.text(), "version": st.text()}, optional={"title": st.text(), "description": st.text()}
        ),
    }
)


@given(offer=offers)
@settings(max_examples=60)
def test_every_greeting_that_it_takes_is_one_that_the_sdk_answers_so(offer):
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": offer}
    line = json.dumps(hello, ensure_ascii=False)
    taken = question(line.encode("utf-8", "surrogatepass"), None)
    if taken is None:
        return

    async def compare() -> None:
        async for server in served({}):
            known = (await dictated(server))[f"initialize {taken.version}"]
            said = await said_by_sdk(server, [hello])
            assert said == b'{"jsonrpc":"2.0","id":1,"result":' + known + b"}\n"

    anyio.run(compare)


async def test_another_start_is_another_record(environ, tmp_path):
    (tmp_path / "key").write_text(KEY)
    folder = tmp_path / "more"
    folder.mkdir()
    ways: list[tuple[dict[str, str], dict[str, Any]]] = [
        (environ, {}),
        (environ, {"read_only": True}),
        (environ | {"POSTHOG_PERSONAL_API_KEY": KEY}, {}),
        (environ | {"POSTHOG_PERSONAL_API_KEY": "phc_" + KEY}, {}),
        (environ | {"POSTHOG_PERSONAL_API_KEY_FILE": str(tmp_path / "key")}, {}),
        (environ | {"POSTHOG_PROJECT_ID": "7"}, {}),
        (environ | {"CORE13_UNKNOWN": "7"}, {}),
        (environ | {"CORE13_TOOLS_DIR": str(folder)}, {}),
    ]
    assert len({recorded(said, **flags)._path for said, flags in ways}) == len(ways)
    assert recorded(environ)._path == recorded(environ)._path


async def test_a_changed_declaration_or_key_file_is_noticed(environ, tmp_path, settled):
    (tmp_path / "key").write_text(KEY)
    folder = tmp_path / "more"
    folder.mkdir()
    said = environ | {"CORE13_TOOLS_DIR": str(folder), "POSTHOG_PERSONAL_API_KEY_FILE": str(tmp_path / "key")}
    recorded(said).write({"tools/list 2025-11-25": b"{}"})
    assert recorded(said).known
    (tmp_path / "key").write_text(KEY.upper())
    assert not recorded(said).known
    recorded(said).write({"tools/list 2025-11-25": b"{}"})
    assert recorded(said).known
    (folder / "new.json").write_text("{}")
    assert not recorded(said).known


async def test_nothing_is_kept_over_http_nor_with_a_database_nor_without_the_key_file(environ, tmp_path):
    assert Record.of(environ | {"CORE13_HTTP": "0"}, {}) is None
    assert Record.of(environ, {"http": "8080"}) is None
    assert Record.of(environ | {"CORE13_SANDBOX_DB": "x.db"}, {}) is None
    assert Record.of(environ | {"POSTHOG_PERSONAL_API_KEY_FILE": str(tmp_path / "none")}, {}) is None


async def test_what_has_only_just_changed_is_not_written_down(environ, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "new.json").write_text("{}")
    said = environ | {"CORE13_TOOLS_DIR": str(tmp_path / "more")}
    recorded(said).write({"tools/list 2025-11-25": b"{}"})
    assert not recorded(said).known


async def test_a_record_that_others_could_have_written_is_not_used(environ, settled):
    recorded(environ).write({"tools/list 2025-11-25": b"{}"})
    path = recorded(environ)._path
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o666)
    assert Record.of(environ, {}) is None


async def test_a_record_that_is_cut_short_is_not_used(environ, settled):
    recorded(environ).write({"tools/list 2025-11-25": b'{"tools":[]}'})
    path = recorded(environ)._path
    path.write_bytes(path.read_bytes()[:-3])
    with recorded(environ).result("tools/list", "2025-11-25") as result:
        assert result is None


async def test_a_client_that_does_not_read_is_waited_for_where_its_pipe_does_not_wait(pipes):
    asked = conversation("2025-11-25")
    more = [{"jsonrpc": "2.0", "id": number, "method": "tools/list"} for number in range(9)]
    os.set_blocking(pipes.sink, False)
    await pipes.say(lines(*asked, *more))
    pipes.front._thread.join(0.2)  # until it is stuck, if it can be
    heard = await pipes.hear(12)
    assert [json.loads(line)["id"] for line in heard.splitlines()] == ["q0", "q1", "q2", *range(9)]


def test_what_does_not_fit_into_a_pipe_is_written_when_it_does(monkeypatch):
    tried: list[bytes] = []

    def full(sink: int, data: memoryview) -> int:
        tried.append(bytes(data))
        if len(tried) == 1:
            raise BlockingIOError
        return len(data)

    out, sink = os.pipe()
    monkeypatch.setattr("os.write", full)
    front._write(sink, b"a message")
    assert tried == [b"a message"] * 2
    os.close(out)
    os.close(sink)


@pytest.mark.parametrize("able", [True, False], ids=["within the kernel", "through this process"])
async def test_a_result_is_written_whole_or_it_is_an_error(able, environ, settled, monkeypatch):
    def unable(*_: object) -> int:
        raise OSError

    if not able:
        monkeypatch.setattr("os.sendfile", unable)
    recorded(environ).write({"tools/list 2025-11-25": b'{"tools":[]}', "prompts/list 2025-11-25": b"{}"})
    out, sink = os.pipe()
    with recorded(environ).result("tools/list", "2025-11-25") as result:
        assert result is not None
        result.send(sink)
        assert os.read(out, 100) == b'{"tools":[]}'
        os.truncate(recorded(environ)._path, result.at + 5)
        with pytest.raises(OSError, match="cut short"):
            result.send(sink)
    os.close(out)
    os.close(sink)


async def test_a_folder_that_cannot_be_made_is_done_without(environ, tmp_path, settled):
    (tmp_path / "cache").write_text("a file")
    if found := Record.of(environ, {}):
        found.write({"tools/list 2025-11-25": b"{}"})
    assert (tmp_path / "cache").read_text() == "a file"


async def test_a_record_that_cannot_be_put_in_place_leaves_nothing_behind(environ, settled, monkeypatch):
    def full(*_: object) -> None:
        raise OSError

    found = recorded(environ)
    monkeypatch.setattr("os.replace", full)
    found.write({"tools/list 2025-11-25": b"{}"})
    assert list(found._path.parent.iterdir()) == []


async def test_where_too_much_would_have_to_be_looked_at_there_is_no_record(environ, monkeypatch):
    monkeypatch.setattr(record, "_MOST", 3)
    assert Record.of(environ, {}) is None


async def test_what_a_server_does_not_answer_is_not_taken_down():
    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        return ListToolsResult(tools=[])

    found = await dictated(Server("no prompts", on_list_tools=list_tools))
    assert {name.split()[0] for name in found} == {"initialize", "server/discover", "tools/list"}


async def test_a_server_that_cannot_be_taken_down_serves_on(monkeypatch, caplog):
    monkeypatch.setattr(dictation, "AFTER", 0.0)
    assert await dictation.take_down(None) == {}  # type: ignore[arg-type]  # nothing that can be asked
    assert "not written down" in caplog.text


async def test_the_oldest_records_go(environ, settled):
    for number in range(record.KEPT + 3):
        recorded(environ | {"CORE13_TIMEOUT": str(number + 1)}).write({"tools/list 2025-11-25": b"{}"})
    assert len(list(recorded(environ)._path.parent.iterdir())) == record.KEPT


async def test_no_secret_is_written_down(environ, tmp_path, settled, server):
    said = environ | {"POSTHOG_PERSONAL_API_KEY": KEY, "POSTHOG_SESSION_ID": "session-secret"}
    recorded(said).write(await dictated(server))
    kept = [file.name.encode() + file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert kept
    assert not any(secret in text for text in kept for secret in (KEY.encode(), b"session-secret"))


def test_a_listing_is_told_again_until_something_changes(environ, tmp_path, settled, capsys):
    (tmp_path / "more").mkdir()
    said, told = environ | {"CORE13_TOOLS_DIR": str(tmp_path / "more")}, []

    def tell(_: Namespace) -> int:
        told.append(1)
        print("✓ one tool")
        return 0

    listing = Namespace(command="tools", name=None)
    for _ in range(2):
        assert retold(listing, said, tell) == 0
    assert (len(told), capsys.readouterr().out) == (1, "✓ one tool\n" * 2)
    (tmp_path / "more" / "new.json").write_text("{}")
    retold(listing, said, tell)
    retold(Namespace(command="tools", name="other"), said, tell)
    retold(listing, said | {"CORE13_READ_ONLY": "1"}, tell)
    assert len(told) == 4


def test_a_failure_is_not_told_again(environ, settled):
    listing = Namespace(command="tools", name="none")
    assert [retold(listing, environ, lambda _: 2) for _ in range(2)] == [2, 2]


async def test_a_second_start_answers_the_same_from_its_record(tmp_path):
    cache = tmp_path / "cache"
    first = await _session(cache, until_kept=True)
    assert len(list((cache / "core13-mcp").iterdir())) == 1
    assert await _session(cache) == first


async def _session(cache: Path, until_kept: bool = False) -> bytes:
    """What a real process answers to the handshake, the lists and one call."""
    frames = conversation("2025-11-25")
    call = {"name": "users-retrieve", "arguments": {"uuid": "not a uuid"}}
    frames.append({"jsonrpc": "2.0", "id": "call", "method": "tools/call", "params": call})
    env = children.clean_environment(XDG_CACHE_HOME=str(cache), CORE13_SANDBOX="1", CORE13_LOG_LEVEL="error")
    with anyio.fail_after(60):
        async with await anyio.open_process([*children.CLI, "serve"], env=env, stderr=None) as process:
            assert process.stdin is not None and process.stdout is not None
            await process.stdin.send(lines(*frames))
            heard = b""
            while heard.count(b"\n") < 4:
                heard += await process.stdout.receive()
            while until_kept and not list(cache.glob("core13-mcp/*")):
                await anyio.sleep(0.05)
            await process.stdin.aclose()
            assert await process.wait() == 0
    # The two lists are handled at once, so either may come first; and how long a call took is not what is compared.
    heard, told = re.subn(rb'"milliseconds":\d+', b'"milliseconds":0', heard)
    assert told == 1
    return b"\n".join(sorted(heard.splitlines()))


async def test_a_server_that_cannot_start_does_not_greet(tmp_path, environ, settled):
    broken = children.run_cli(
        "serve", stdin=lines(conversation("2025-11-25")[0]).decode(), XDG_CACHE_HOME=str(tmp_path)
    )
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "POSTHOG_PERSONAL_API_KEY is not set" in broken.stderr
