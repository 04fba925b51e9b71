"""What became of a transaction whose COMMIT was never answered: PostgreSQL knows it by its number.

Without this a lost connection would leave two wrong choices: to write history twice, or to report a failure
of what was written.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection, text


class Fate(StrEnum):
    """PostgreSQL's words, those of `txid_status`."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    OPEN = "in progress"
    """Its backend has not noticed yet that nobody listens any more."""


def number_of(connection: Connection) -> int | None:
    """This transaction's number, where it has written anything; None on SQLite, which has no wire to lose."""
    if connection.dialect.name != "postgresql":
        return None
    found: int | None = connection.execute(text("SELECT txid_current_if_assigned()")).scalar()
    return found


def fate_of(connection: Connection, number: int) -> Fate:
    """What became of the transaction with this number: one of the last few hours, of this very server."""
    return Fate(connection.execute(text("SELECT txid_status(:number)"), {"number": number}).scalar_one())
