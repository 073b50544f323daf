"""What the sandbox remembers: in a file, through refusals, and when many ask at once."""

from __future__ import annotations

import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox
from core13_mcp.sandbox import users

from ..asgi import listening
from .conftest import Speak
from .sandbox_client import ME, OPEN, SUBSCRIPTIONS, Clock, Speaker, fault, weekly

pytestmark = pytest.mark.anyio
HEADERS = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.db")


async def test_a_file_survives_a_restart_and_is_sown_once(database: str, clock: Clock) -> None:
    first = sandbox.build(database, clock=clock)
    async with Speaker(first, sandbox.FULL_KEY) as ada:
        created = await ada.create(title="Kept")
    first.state.close()
    clock.advance(60)
    async with Speaker(sandbox.build(database, clock=clock), sandbox.FULL_KEY) as ada:
        rows = (await ada.get(SUBSCRIPTIONS)).json()["results"]
    assert rows[0] == created
    assert len(rows) == 6


async def test_memory_is_forgotten(clock: Clock) -> None:
    for _ in range(2):
        async with Speaker(sandbox.build(clock=clock), sandbox.FULL_KEY) as ada:
            assert (await ada.create())["id"] == 9


async def test_two_servers_of_one_file_see_each_others_writes(database: str, clock: Clock) -> None:
    apps = [sandbox.build(database, clock=clock) for _ in range(2)]
    async with Speaker(apps[0], sandbox.FULL_KEY) as one, Speaker(apps[1], sandbox.FULL_KEY) as two:
        created = await one.create()
        assert (await two.get(f"{SUBSCRIPTIONS}{created['id']}/")).json() == created


async def test_the_outbox_of_a_file_is_read_while_it_is_served(database: str) -> None:
    app = sandbox.build(database)
    async with Speaker(app, sandbox.FULL_KEY) as ada:
        created = await ada.create()
        assert [row["subscription"] for row in sandbox.outbox(database)] == [created["id"]]
    script = f"from core13_mcp import sandbox; print(len(sandbox.outbox({database!r})))"
    with anyio.fail_after(30):
        told = await anyio.run_process([sys.executable, "-c", script])
    assert told.stdout == b"1\n"


async def test_there_is_no_outbox_where_there_is_no_file(database: str) -> None:
    with pytest.raises(FileNotFoundError):
        sandbox.outbox(database)
    assert not Path(database).exists()


async def test_a_database_of_something_else_is_left_alone(database: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table mine (id integer)")
    with pytest.raises(ValueError, match="another file"):
        sandbox.build(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("mine",)]


async def test_a_file_that_is_no_database_is_left_alone_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be seen as none " * 20)
    with pytest.raises(ValueError, match="another file"):
        sandbox.build(str(tmp_path / "notes.txt"))
    with pytest.raises(OSError, match="cannot be opened"):
        sandbox.build(str(tmp_path / "nowhere" / "sandbox.db"))


async def test_a_request_that_breaks_halfway_leaves_nothing_behind(
    app: Starlette, speak: Speak, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = speak(session=sandbox.SESSION_ID)
    before = (await session.get(ME)).json()

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(users, "_change_email", broken)
    change = {"first_name": "A", "password": "a much Better one 77", "current_password": sandbox.PASSWORD}
    assert fault(await session.patch(ME, json=change)) == (500, "error", None)
    assert (await session.get(ME)).json() == before
    assert app.state.outbox() == []
    assert (await speak(session=sandbox.STALE_SESSION_ID).get(ME)).status_code == 200


async def test_requests_at_once_lose_nothing(app: Starlette) -> None:
    with anyio.fail_after(30):
        async with (
            listening(app) as origin,
            httpx2.AsyncClient(base_url=origin, headers=HEADERS) as client,
            anyio.create_task_group() as tasks,
        ):
            for number in range(40):
                tasks.start_soon(create, client, f"number {number}")
    titles = sorted(row["subject"] for row in app.state.outbox())
    assert titles == sorted(f"number {number}" for number in range(40))


async def create(client: httpx2.AsyncClient, title: str) -> None:
    assert (await client.post(SUBSCRIPTIONS, json=weekly(title=title))).status_code == 201


async def test_two_processes_write_to_one_file_at_once(database: str, clock: Clock) -> None:
    here, there = sandbox.build(database, clock=clock), sandbox.build(database, clock=clock)
    async with Speaker(here, sandbox.FULL_KEY) as one, Speaker(there, sandbox.FULL_KEY) as two:
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(one.post, OPEN + "refresh/")
                tasks.start_soon(two.create)
        assert (await one.get(SUBSCRIPTIONS)).json()["count"] == 15
    assert len(sandbox.outbox(database)) == 10


async def test_serving_tells_its_origin_once_it_listens(database: str) -> None:
    script = (
        "import anyio, functools, sys; from core13_mcp import sandbox;"
        f"anyio.run(functools.partial(sandbox.serve, '127.0.0.1', 0, {database!r}, faults=False,"
        "ready=lambda origin: print(origin, flush=True)))"
    )
    with anyio.fail_after(30):
        async with await anyio.open_process([sys.executable, "-c", script]) as server:
            assert server.stdout is not None
            origin = (await server.stdout.receive()).decode().strip()
            async with httpx2.AsyncClient(base_url=origin, headers=HEADERS) as ada:
                assert (await ada.get(ME)).json()["first_name"] == "Ada"
            server.terminate()
            assert await server.wait() in (0, -signal.SIGTERM)
