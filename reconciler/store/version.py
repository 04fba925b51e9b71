"""Which version the tables are of, and that a program works on those of its own version only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, column, select, table

from reconciler.errors import StoreError
from reconciler.store.revisions import REVISIONS

_VERSION: Select[Any] = select(column("version_num")).select_from(table("alembic_version"))


def is_our_version() -> ColumnElement[bool]:
    """A condition for a statement that must not touch the tables of another version."""
    return _VERSION.scalar_subquery() == REVISIONS[-1]


def version_of(connection: Connection) -> str | None:
    """The version of the tables, None where none is on record. Raises StoreError for an unknown one."""
    version: str | None = connection.execute(_VERSION).scalar()
    if version is not None and version not in REVISIONS:
        raise StoreError(
            f"this database is of version {version}, which this program does not know",
            code="database.version",
            hint="it was made by a newer reconciler: upgrade this one",
        )
    return version


def refuse_other_version(connection: Connection) -> None:
    """Raise StoreError database.version unless the tables are of this program's version."""
    version = version_of(connection)
    if version != REVISIONS[-1]:
        raise StoreError(
            f"this database is of version {version} by now, and this program works on {REVISIONS[-1]}",
            code="database.version",
            hint="run again: it is brought up to date first",
        )
