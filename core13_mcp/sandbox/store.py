"""The database: SQLite, in memory or in a file that several processes may share."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

# The JSON object in the column `doc` of a row, or in a response.
Doc = dict[str, Any]
Row = dict[str, Any]
VERSION: Final = 2
NOT_A_SANDBOX: Final = "The file is not a database of this version of the sandbox. Choose another file."
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
MESSAGE_FIELDS: Final = ("at", "why", "channel", "recipients", "subscription", "subject", "message")


class Store:
    """One connection to the database. Each request is one short synchronous transaction.

    A transaction contains no `await`, so the requests of one process run one after another. Between processes,
    SQLite's lock has the same effect. A statement takes microseconds, so threads would not make it faster.
    """

    def __init__(self, database: str, *, read_only: bool = False) -> None:
        connection = None
        # A file that is only read may belong to another program, and is not changed.
        target = f"{Path(database).absolute().as_uri()}?mode=ro" if read_only else database
        # WAL mode lets readers and a writer work at the same time. Both statements read the header of the file.
        first = "pragma schema_version" if read_only else "pragma journal_mode = wal"
        try:
            connection = sqlite3.connect(
                target, timeout=10, isolation_level=None, check_same_thread=False, uri=read_only
            )
            connection.execute(first)
        except sqlite3.DatabaseError as error:
            if connection:
                connection.close()
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(f"The database {database} cannot be opened: {error}.") from error
            raise ValueError(NOT_A_SANDBOX) from error
        connection.row_factory = _row
        self._connection, self._lock = connection, threading.RLock()
        self.close = weakref.finalize(self, connection.close)

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[None]:
        """Commit the changes of the block, or roll them back if it raises."""
        with self._lock:
            self._connection.execute("begin immediate" if writes else "begin")
            try:
                yield
                self._connection.execute("commit")
            except BaseException:
                # A failed commit may already have ended the transaction.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    def create(self) -> bool:
        """Create the tables; return False if they exist. Call it in a transaction, so that only one process does it."""
        if self.is_created():
            return False
        if self.value("select count(*) from sqlite_master"):
            raise ValueError(NOT_A_SANDBOX)
        for table in TABLES:
            self.execute(f"create table {table}")
        self.execute(f"pragma user_version = {VERSION}")
        return True

    def is_created(self) -> bool:
        return bool(self.value("pragma user_version") == VERSION)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute a statement. An integer that SQLite cannot store becomes null, which equals no value."""
        fitting = (None if isinstance(value, int) and abs(value) >= 2**63 else value for value in values)
        return self._connection.execute(sql, tuple(fitting))

    def all(self, sql: str, *values: Any) -> list[Row]:
        return self.execute(sql, *values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        row: Row | None = self.execute(sql, *values).fetchone()
        return row

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, None if there is none."""
        row = self.one(sql, *values)
        return next(iter(row.values())) if row else None

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row and return its id; `doc` may be an object or an array."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.execute(f"insert into {table} ({columns}) values ({marks})", *map(_column, values.values()))
        return cursor.lastrowid or 0

    def add_message(self, now: datetime, message: Doc) -> None:
        """Add a message to the outbox: `why`, `channel`, `recipients`, and optionally the other `MESSAGE_FIELDS`."""
        self.insert("outbox", doc=dict.fromkeys(MESSAGE_FIELDS) | {"at": format_timestamp(now)} | message)

    def messages(self) -> list[Doc]:
        """The outbox, oldest message first. Nothing of it has left the machine."""
        return [{"id": row["id"], **row["doc"]} for row in self.all("select id, doc from outbox order by id")]

    def count(self, table: str) -> int:
        return int(self.value(f"select count(*) from {table}"))

    def update(self, table: str, key: int | str, doc: Any) -> None:
        """Replace the document of one row."""
        self.execute(f"update {table} set doc = ? where id = ?", _column(doc), key)


def format_timestamp(moment: datetime) -> str:
    """A time as the API and the database write it; `datetime.fromisoformat` reads it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _column(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    names = (column[0] for column in cursor.description)
    return {name: json.loads(value) if name == "doc" else value for name, value in zip(names, values, strict=True)}
