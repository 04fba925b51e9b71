"""Whose rows a transaction may see and change, as PostgreSQL's row-level security is told.

The policies are in revision 0005. A statement that forgets its `WHERE district = …` cannot reach another
district's rows; one in a transaction that named nobody is refused. SQLite has nothing like it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_NAME = text(
    "SELECT set_config('reconciler.district', :district, true), set_config('reconciler.scope', :scope, true)"
)


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
    """Say whose rows the transaction is about, until it ends: a pooled connection keeps nothing of it."""
    if transaction.dialect.name == "postgresql":
        values = {"district": scope.district, "scope": "fleet" if scope.fleet else ""}
        transaction.execute(_NAME, values)
