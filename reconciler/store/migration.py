"""Brings the tables to the version of this program. Alembic is loaded only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from reconciler.errors import StoreError
from reconciler.store.database import Database
from reconciler.store.errors import is_missing_table, sqlstate
from reconciler.store.revisions import REVISIONS
from reconciler.store.version import version_of

SCRIPTS = Path(__file__).parent / "migrations"

_REFUSED = "42501"
_NOT_THE_OWNER = (_REFUSED, "3F000")
"""No right to change a table or to make one; no schema in which to make one."""
_LOCK = 0x7265636F6E63  # "reconc": the advisory lock that migrating runs share


def migrate(database: Database) -> None:
    """Create or upgrade the tables. Two at once are safe: the second waits and finds nothing to do.

    All of it is one transaction, so a run that is killed half-way leaves the version that was there.
    Raises StoreError database.version if a newer program made the database, or an older one and this role may
    not change its tables; database.role where it may not even read them.
    """
    version = _current(database)
    if version == REVISIONS[-1]:
        return
    try:
        database.write(_upgrade)
    except StoreError as error:
        if _state(error) in _NOT_THE_OWNER:
            raise _for_the_owner(database, version, error) from error.__cause__
        raise


def alembic_config(connection: Connection) -> Any:
    """Alembic's configuration for this database, without any file of settings."""
    from alembic.config import Config  # noqa: PLC0415 (a third of a second, seldom needed)

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _current(database: Database) -> str | None:
    try:
        return database.ask(version_of)
    except StoreError as error:
        if error.__cause__ is not None and is_missing_table(error.__cause__):
            return None
        if _state(error) == _REFUSED:
            raise _without_grants(database) from error.__cause__
        raise


def _state(error: StoreError) -> str:
    return sqlstate(error.__cause__) if error.__cause__ is not None else ""


def _for_the_owner(database: Database, version: str | None, error: StoreError) -> StoreError:
    found = f"is of version {version}" if version else "has no tables yet"
    return StoreError(
        f"the database {database.location} {found}, this program needs version {REVISIONS[-1]}, and "
        f"{database.role} may not change the tables ({error.message.rpartition('refused: ')[2]})",
        code="database.version",
        hint="their owner runs `reconciler db migrate`, then what `reconciler db grant` prints for this role",
    )


def _without_grants(database: Database) -> StoreError:
    return StoreError(
        f"{database.role} may not read the tables of the database {database.location}",
        code="database.role",
        hint="their owner runs what `reconciler db grant` prints for this role",
    )


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 (as above)

    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '5min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if inspect(connection).has_table("alembic_version"):
        version_of(connection)  # it may have come to another version while we waited
    command.upgrade(alembic_config(connection), "head")
