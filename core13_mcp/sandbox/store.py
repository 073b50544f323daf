"""Everything the sandbox remembers: SQLite, in memory or in a file that several processes may share."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

Row = dict[str, Any]

VERSION: Final = 1
FOREIGN: Final = "The database is not one of this version of the sandbox: name another file."
TABLES: Final = (
    "organization (id text primary key, doc text not null)",
    "project (id integer primary key, organization_id text not null, doc text not null)",
    "person (id integer primary key autoincrement, uuid text not null unique, email text not null, doc text not null)",
    "membership (person_id integer, organization_id text, level integer not null, primary key (person_id, organization_id))",
    "credential (secret text primary key, kind text not null, person_id integer not null, doc text not null)",
    "dashboard (id integer primary key, project_id integer not null, doc text not null)",
    "insight (id integer primary key, project_id integer not null, doc text not null)",
    "tile (dashboard_id integer, insight_id integer, deleted integer not null, primary key (dashboard_id, insight_id))",
    "integration (id integer primary key, project_id integer not null, kind text not null)",
    "subscription (id integer primary key autoincrement, project_id integer not null, doc text not null)",
    "sharing (id integer primary key autoincrement, project_id integer not null, recording_id text not null, doc text not null)",
    "share_password (id integer primary key autoincrement, sharing_id integer not null, doc text not null)",
    "outbox (id integer primary key autoincrement, doc text not null)",
)


class Store:
    """One connection. Each request is one short synchronous transaction.

    Nothing is awaited inside a transaction, so in one process requests follow each other and none sees another's
    half; between processes SQLite's own lock does the same. A statement takes microseconds here: threads would cost
    more than they give.

    Raises OSError for a file that cannot be opened, ValueError for one that is no database.
    """

    def __init__(self, database: str) -> None:
        self._connection = connect(database)
        self._connection.row_factory = _row
        self._lock = threading.RLock()
        self.close = weakref.finalize(self, self._connection.close)

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[None]:
        """Commits what its block did, or undoes all of it when the block raises."""
        with self._lock:
            self._connection.execute("begin immediate" if writes else "begin")
            try:
                yield
                self._connection.execute("commit")
            except BaseException:
                # A commit that failed may have ended the transaction itself.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    def create(self) -> bool:
        """Makes the tables; False when they were there. Within a transaction, so two processes cannot both do it.

        Raises ValueError for a database that is something else.
        """
        if self.made():
            return False
        if self.value("select count(*) from sqlite_master"):
            raise ValueError(FOREIGN)
        for table in TABLES:
            self.execute(f"create table {table}")
        self.execute(f"pragma user_version = {VERSION}")
        return True

    def made(self) -> bool:
        return bool(self.value("pragma user_version") == VERSION)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def all(self, sql: str, *values: Any) -> list[Row]:
        return self.execute(sql, *values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        row: Row | None = self.execute(sql, *values).fetchone()
        return row

    def value(self, sql: str, *values: Any) -> Any:
        row = self.one(sql, *values)
        return next(iter(row.values())) if row else None

    def insert(self, table: str, **values: Any) -> int:
        """Stores a row and returns its id; ``doc`` may be any JSON value."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.execute(f"insert into {table} ({columns}) values ({marks})", *map(_column, values.values()))
        return cursor.lastrowid or 0

    def count(self, table: str) -> int:
        return int(self.value(f"select count(*) from {table}"))

    def write(self, table: str, key: int | str, doc: Any) -> None:
        """Replaces the document of one row."""
        self.execute(f"update {table} set doc = ? where id = ?", _column(doc), key)


def connect(database: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(database, timeout=10, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as fault:
        raise OSError(f"The database {database} cannot be opened: {fault}.") from fault
    try:
        # Reads the file's head, and lets readers and a writer of a file work side by side.
        connection.execute("pragma journal_mode = wal")
    except sqlite3.DatabaseError as fault:
        connection.close()
        if isinstance(fault, sqlite3.OperationalError):
            raise OSError(f"The database {database} cannot be used: {fault}.") from fault
        raise ValueError(FOREIGN) from fault
    return connection


def _column(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    names = (column[0] for column in cursor.description)
    return {name: json.loads(value) if name == "doc" else value for name, value in zip(names, values, strict=True)}
