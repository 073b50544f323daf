"""The database: in a file, after failures, and with concurrent requests."""

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

from ..asgi import listening
from .sandbox_client import ME, OPEN, SUBSCRIPTIONS, Client, Clock, edited_sandbox, error, weekly

pytestmark = pytest.mark.anyio
HEADERS = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}


async def test_a_file_keeps_its_content_over_a_restart(database: str, clock: Clock) -> None:
    first = sandbox.build(database, clock=clock)
    async with Client(first, sandbox.FULL_KEY) as ada:
        created = await ada.create(title="Kept")
    first.state.close()
    clock.advance(60)
    async with Client(sandbox.build(database, clock=clock), sandbox.FULL_KEY) as ada:
        rows = (await ada.get(SUBSCRIPTIONS)).json()["results"]
    assert rows[0] == created
    assert len(rows) == 6


async def test_the_outbox_can_be_read_by_another_process(database: str) -> None:
    app = sandbox.build(database)
    async with Client(app, sandbox.FULL_KEY) as ada:
        created = await ada.create()
        assert [row["subscription"] for row in sandbox.outbox(database)] == [created["id"]]
    script = f"from core13_mcp import sandbox; print(len(sandbox.outbox({database!r})))"
    with anyio.fail_after(30):
        reader = await anyio.run_process([sys.executable, "-c", script])
    assert reader.stdout == b"1\n"


async def test_reading_the_outbox_of_a_missing_file_fails(database: str) -> None:
    with pytest.raises(FileNotFoundError):
        sandbox.outbox(database)
    assert not Path(database).exists()


@pytest.mark.parametrize("sql", ["", "create table mine (id integer)"])
async def test_reading_the_outbox_of_another_file_fails_and_does_not_change_it(database: str, sql: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(sql)
    Path(database).touch()
    before = Path(database).read_bytes()
    with pytest.raises(ValueError, match="not a database of this version of the sandbox"):
        sandbox.outbox(database)
    assert Path(database).read_bytes() == before
    assert [file.name for file in Path(database).parent.iterdir()] == [Path(database).name]


async def test_a_database_of_another_application_is_rejected_unchanged(database: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table mine (id integer)")
    with pytest.raises(ValueError, match="another file"):
        sandbox.build(database)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select name from sqlite_master").fetchall() == [("mine",)]


async def test_a_file_that_is_not_a_database_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be seen as none " * 20)
    with pytest.raises(ValueError, match="another file"):
        sandbox.build(str(tmp_path / "notes.txt"))
    with pytest.raises(OSError, match="cannot be opened"):
        sandbox.build(str(tmp_path / "nowhere" / "sandbox.db"))


async def test_a_request_that_fails_halfway_changes_nothing(database: str, clock: Clock, era: str) -> None:
    fails = "create trigger full before insert on outbox begin select raise(abort, 'disk full'); end"
    app = edited_sandbox(database, clock, era, fails)
    async with Client(app, session=sandbox.SESSION_ID) as session:
        before = (await session.get(ME)).json()
        change = {"first_name": "A", "password": "a much Better one 77", "current_password": sandbox.PASSWORD}
        assert error(await session.patch(ME, json=change)) == (500, "error", None)
        assert (await session.get(ME)).json() == before
    async with Client(app, session=sandbox.STALE_SESSION_ID) as other_session:
        assert (await other_session.get(ME)).status_code == 200
    assert app.state.outbox() == []


async def test_concurrent_requests_are_all_stored(app: Starlette) -> None:
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


async def test_two_sandboxes_can_write_to_one_file_concurrently(database: str, clock: Clock) -> None:
    here, there = sandbox.build(database, clock=clock), sandbox.build(database, clock=clock)
    async with Client(here, sandbox.FULL_KEY) as one, Client(there, sandbox.FULL_KEY) as two:
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(one.post, OPEN + "refresh/")
                tasks.start_soon(two.create)
        assert (await one.get(SUBSCRIPTIONS)).json()["count"] == 15
    assert len(sandbox.outbox(database)) == 10


async def test_serve_reports_its_origin_when_it_listens(database: str) -> None:
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
