"""Whose rows a transaction may see and change, as PostgreSQL's row-level security is told.

The policies are in revision 0005. A statement that forgets its `WHERE district = …` cannot reach another
district's rows; one in a transaction that named nobody is refused. SQLite has nothing like it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

SILENT_SECONDS = 30
"""How long a transaction that writes may say nothing until the server rolls it back: a lease's time.

A runner that was paused amid one keeps its lease's row, and with it everybody else from the district. Nothing
is worked out between two statements: what takes long feeds a COPY, which is one.
"""

_NAME = "set_config('reconciler.district', :district, true), set_config('reconciler.scope', :scope, true)"
_READING = text(f"SELECT {_NAME}")
_WRITING = text(f"SELECT {_NAME}, set_config('idle_in_transaction_session_timeout', :silent, true)")


@dataclass(frozen=True, slots=True)
class Scope:
    """Rows of `district` can be read and written; with `fleet`, those of every district can be read."""

    district: str = ""
    fleet: bool = False


NOBODY = Scope()
"""No district's rows: for what only runs and versions are asked about."""
FLEET = Scope(fleet=True)


def scope_of(district: str | None) -> Scope:
    """One district, or where none is named all of them, to be read only."""
    return Scope(district) if district else FLEET


def name(transaction: Connection, scope: Scope) -> None:
    """Say whose rows the transaction is about, and how long it may be silent, if it writes.

    Both last until it ends: a pooled connection keeps nothing of it.
    """
    if transaction.dialect.name == "postgresql":
        values = {"district": scope.district, "scope": "fleet" if scope.fleet else ""}
        if transaction.get_execution_options().get("reconciler_writes"):
            transaction.execute(_WRITING, {**values, "silent": f"{SILENT_SECONDS}s"})
        else:
            transaction.execute(_READING, values)
