"""The events that users cause, kept in a database so that they survive a crash."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

__all__ = ["EventStore", "StoreError"]

_CHUNK = 5_000

_METADATA = MetaData()
_EVENTS = Table(
    "skrec_events",
    _METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("received", Float, nullable=False),  # seconds since 1970
    Column("row", Text, nullable=False),  # the event as JSON
)


class StoreError(Exception):
    """The database cannot be opened, or refused to store events."""


class EventStore:
    """A table of events in SQLite or PostgreSQL.

    Parameters
    ----------
    url : str
        A URL of SQLAlchemy, such as ``"sqlite:///events.db"`` or ``"postgresql+psycopg://user@host/database"``. The
        table ``skrec_events`` is created if it is not there.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ValueError(f"{url!r} is not a database URL. For a file use 'sqlite:///events.db'.") from error
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ValueError(f"Events are stored in SQLite or PostgreSQL, not in {parsed.get_backend_name()!r}.")
        options: dict[str, Any] = {"pool_pre_ping": True}
        in_memory = parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}
        if in_memory:
            options = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        self._engine = create_engine(parsed, **options)
        if parsed.get_backend_name() == "sqlite":
            event.listen(self._engine, "connect", _make_durable)
        try:
            _METADATA.create_all(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise StoreError(
                f"The events cannot be stored in {parsed.render_as_string()}: {_first_line(error)}"
            ) from error

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store events in one transaction, which is on the disk when this returns."""
        now = time.time()
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_EVENTS), [{"received": now, "row": json.dumps(row)} for row in rows])
        except SQLAlchemyError as error:
            raise StoreError(f"The events were not stored: {_first_line(error)}") from error

    def read(self, after: int = 0) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Yield the last id and the events of chunks with ids above `after`, in the order in which they were stored."""
        while True:
            with self._engine.connect() as connection:
                query = select(_EVENTS.c.id, _EVENTS.c.row).where(_EVENTS.c.id > after).order_by(_EVENTS.c.id)
                found = connection.execute(query.limit(_CHUNK)).all()
            if not found:
                return
            after = found[-1][0]
            yield after, [json.loads(row) for _, row in found]

    def count(self) -> int:
        """Return the number of stored events."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(_EVENTS)).scalar_one())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _make_durable(connection: Any, _record: Any) -> None:
    """Let a commit of SQLite return when it is on the disk, and readers not wait for writers."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0]
