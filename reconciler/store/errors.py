"""What drivers raise, turned into StoreError: the only place that knows their exceptions.

A driver's text can quote a row or a connection string, so of PostgreSQL's errors only names are told
(condition, table, constraint), of SQLite's its fixed sentences (they name columns, never values), and of
a failed connection the text with the password struck out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reconciler.errors import StoreError

LOCK_NOT_AVAILABLE = "55P03"
_TRY_AGAIN = {"40001", "40P01"}  # serialization failure, deadlock
_GONE = {"57P01", "57P02", "57P03", "57P05", "25P03", "53300"}
"""Ended by an administrator, by a crash, not up yet, idle for too long (twice), too many sessions."""
_DISK_FULL = "53100"
_READ_ONLY = "25006"  # a read-only transaction or standby
_REFUSED = "42501"  # privileges that are missing, a row of another district
_AWAY = (
    "08",
    "57P0",
    "53300",
    "28",
    "3D000",
)  # connection lost, shutting down, full, refused, no such database

_REACH_HINT = "check the database URL, that the server runs and that this machine may connect, then run again"
_DISK_HINT = "nothing of this step was written; make room on the database's disk, then run again"
_READ_ONLY_HINT = "nothing was written; give this program the right to write there, then run again"
_REFUSED_HINT = "nothing was written; `reconciler db grant` prints the rights that this program's role needs"
_FAILED_HINT = "nothing of this step was written; run again, and report it if it comes back"


@contextmanager
def translated(location: str, password: str = "") -> Iterator[None]:
    """Raise StoreError for what a driver raises inside; everything else passes.

    `location` is the database's URL without its password; `password` is struck out of messages.
    """
    try:
        yield
    except PoolTimeout as cause:
        raise StoreError(
            f"no connection to {location} was free in time", hint=_REACH_HINT, retryable=True
        ) from cause
    except Exception as cause:
        driver = driver_error(cause)
        if driver is None and not isinstance(cause, SQLAlchemyError):
            raise
        raise _store_error(driver or cause, location, password) from cause


def driver_error(error: BaseException) -> BaseException | None:
    """The driver's own exception in `error`, wrapped by SQLAlchemy or not; None where there is none."""
    if isinstance(error, DBAPIError):
        return error.orig
    # By name, so that SQLite's users never load psycopg.
    known = isinstance(error, sqlite3.Error) or type(error).__module__.split(".")[0] == "psycopg"
    return error if known else None


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five letters for what happened; empty where there are none."""
    return getattr(driver_error(error), "sqlstate", None) or ""


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may well succeed a moment later."""
    driver = driver_error(error)
    if isinstance(driver, sqlite3.Error):
        return _is_busy(driver)
    return sqlstate(error) in _TRY_AGAIN


def is_dropped(error: BaseException) -> bool:
    """Whether PostgreSQL's connection is gone, or could not be had; what was not committed is rolled back."""
    driver = driver_error(error)
    if driver is None or isinstance(driver, sqlite3.Error):
        return False
    state = sqlstate(error)
    return state.startswith("08") or state in _GONE or (not state and _is_operational(driver))


def is_missing_table(error: BaseException) -> bool:
    """Whether a statement named a table that the database does not have."""
    driver = driver_error(error)
    return sqlstate(error) == "42P01" or (
        isinstance(driver, sqlite3.OperationalError) and "no such table" in str(driver)
    )


def _is_operational(driver: BaseException) -> bool:
    """By name, as above: what libpq says of a connection has no state."""
    return type(driver).__name__ in {"OperationalError", "ConnectionTimeout"}


def _is_busy(error: sqlite3.Error) -> bool:
    return _primary(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _store_error(error: BaseException, location: str, password: str) -> StoreError:
    if isinstance(error, sqlite3.Error):
        return _sqlite_error(error, location)
    state = getattr(error, "sqlstate", None) or ""
    name = type(error).__name__
    if state.startswith(_AWAY) or (not state and _is_operational(error)):
        why = _first_line(str(error), password)
        return StoreError(f"cannot use the database {location}: {why}", hint=_REACH_HINT, retryable=True)
    hint = _HINTS.get(state, _FAILED_HINT)
    return StoreError(
        f"the database {location} refused: {_names(error, name)}",
        code="database.failed",
        hint=hint,
        retryable=state in _TRY_AGAIN,
    )


_HINTS = {_DISK_FULL: _DISK_HINT, _READ_ONLY: _READ_ONLY_HINT, _REFUSED: _REFUSED_HINT}


def _sqlite_error(error: sqlite3.Error, location: str) -> StoreError:
    if _is_busy(error):
        return StoreError(
            f"the database {location} is being written by another process",
            code="database.failed",
            hint="wait until the other run is done, then run again",
            retryable=True,
        )
    if _primary(error) == sqlite3.SQLITE_CANTOPEN:
        return StoreError(
            f"cannot open the database {location}",
            hint="check that its folder exists and may be written",
            retryable=True,
        )
    hint = _SQLITE_HINTS.get(_primary(error), _FAILED_HINT)
    return StoreError(f"the database {location} refused: {error}", code="database.failed", hint=hint)


_SQLITE_HINTS = {
    sqlite3.SQLITE_FULL: _DISK_HINT,
    sqlite3.SQLITE_IOERR: _DISK_HINT,
    sqlite3.SQLITE_READONLY: _READ_ONLY_HINT,
}


def _primary(error: sqlite3.Error) -> int:
    """What happened, without the details of an extended code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _names(error: BaseException, name: str) -> str:
    diagnosis: Any = getattr(error, "diag", None)
    parts = [
        f"{label} {value}"
        for label in ("table", "column", "constraint")
        if (value := getattr(diagnosis, f"{label}_name", None))
    ]
    if getattr(error, "sqlstate", None) == _REFUSED and diagnosis.message_primary:
        parts.append(diagnosis.message_primary)  # of these PostgreSQL tells tables and functions, never rows
    return ", ".join([name, *parts])


def _first_line(text: str, password: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else "connection lost"
    return line.replace(password, "***") if password else line
