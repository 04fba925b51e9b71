"""Column types that mean the same on SQLite's STRICT tables and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import TEXT, Boolean, DateTime, Dialect, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"


class Key(TypeDecorator[str]):
    """Text that identifies a row, ordered by its bytes on both databases whatever their locale is."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(TEXT(collation="C" if postgresql else None))


class UtcTime(TypeDecorator[datetime]):
    """An instant: timestamptz on PostgreSQL; on SQLite ISO 8601 text in UTC, always of the same width."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(DateTime(timezone=True) if postgresql else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return None if value is None else driver_time(value, dialect.name)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """Yes or no: boolean on PostgreSQL, 0 or 1 on SQLite."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(Boolean() if postgresql else Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return bool(value) if dialect.name == "postgresql" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


def driver_time(value: datetime, dialect: str) -> Any:
    """An aware instant as the driver of `dialect` takes it. Raises ValueError on one without a zone."""
    if value.tzinfo is None:
        raise ValueError("a stored time needs a time zone")
    return value if dialect == "postgresql" else value.astimezone(UTC).strftime(_ISO)


class DatabaseTime(FunctionElement[datetime]):
    """The database's own clock, `seconds` from now: hosts' clocks differ, one database's does not."""

    type = UtcTime()
    inherit_cache = False  # the offset is part of the SQL text

    def __init__(self, seconds: int = 0):
        super().__init__()
        self.seconds = seconds


@compiles(DatabaseTime, "sqlite")
def _sqlite_time(element: DatabaseTime, compiler: SQLCompiler, **_: Any) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '{element.seconds:+d} seconds')"


@compiles(DatabaseTime, "postgresql")
def _postgresql_time(element: DatabaseTime, compiler: SQLCompiler, **_: Any) -> str:
    # Not now(), which stands still at the start of the transaction.
    return f"(clock_timestamp() + interval '{element.seconds} seconds')"
