"""Connections that were altered past the program: what stood there before, which triggers have kept.

What is observed of such a connection is what the program itself put on record; see `HandEdit` for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Row, delete, select

from reconciler.config.district import District
from reconciler.planning.change import FieldChange, Stamp
from reconciler.planning.connection import Connection
from reconciler.planning.hand_edit import SAID_BY_SPEC, STATE, HandEdit
from reconciler.store.tables import CONNECTION, HAND_EDIT

_PUT_BACK = ("host_key_seen", "secret_slot", "snapshot", "delta_key", "hold", "hold_digest")
"""Columns that no step finds out anew: what the program had put there is put there again."""
_FLAGS = ("unfinished", "deactivated")
_LONG = ("snapshot", "hold", "hold_digest", "delta_key")
"""Columns whose content is no use to a reader."""
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Edited:
    """One altered row: as it is, and what the program had written."""

    row: Mapping[Any, Any]
    note: Any
    was: Mapping[str, Any]
    """Column to what stood there before the first edit, as JSON has it."""

    @property
    def recorded(self) -> dict[str, Any]:
        """The row as the program wrote it, in the types of the row itself."""
        return {**self.row, **{c: _typed(c, v) for c, v in self.was.items() if c in self.row}}

    def hand_edit(self) -> HandEdit:
        kind = "insert" if self.note.kind == "insert" else "update"
        return HandEdit(self.note.at, self.note.role or "", kind, self._connection(), self._columns())

    def _connection(self) -> Connection | None:
        return connection_of(self.row["spec"], self.row["mapper_digest"])

    def _columns(self) -> tuple[FieldChange, ...]:
        altered = [c for c in sorted(self.was) if c in STATE or c in SAID_BY_SPEC]
        fields = [FieldChange(c, *_shown(c, self.row[c], _typed(c, self.was[c]))) for c in altered]
        if self._connection() is None:
            fields.append(FieldChange("spec", "unreadable", "as it was applied"))
        return tuple(fields)


def edited(transaction: Transaction, districts: Collection[str] | None = None) -> dict[str, Edited]:
    """The connections that were altered by hand, or those among these districts. Mostly none."""
    query = select(HAND_EDIT).where(HAND_EDIT.c.kind != "delete")
    if districts is not None:
        query = query.where(HAND_EDIT.c.district.in_(districts))
    notes = {note.district: note for note in transaction.execute(query)}
    if not notes:
        return {}
    rows = transaction.execute(select(CONNECTION).where(CONNECTION.c.district.in_(notes)))
    return {row.district: _edited(row, notes[row.district]) for row in rows}


def deleted(transaction: Transaction, districts: Collection[str] | None = None) -> dict[str, Stamp]:
    """When, and by whom, connections were deleted by hand that are not there now; or those of these."""
    query = select(HAND_EDIT).where(HAND_EDIT.c.kind == "delete")
    if districts is not None:
        query = query.where(HAND_EDIT.c.district.in_(districts))
    return {note.district: Stamp(note.at, note.role or "") for note in transaction.execute(query)}


def forget_deleted(transaction: Transaction, *, district: str, before: datetime) -> None:
    """Erase that a connection was deleted by hand before then."""
    one = (HAND_EDIT.c.district == district, HAND_EDIT.c.kind == "delete", HAND_EDIT.c.at < before)
    transaction.execute(delete(HAND_EDIT).where(*one))


def put_back(transaction: Transaction, district: str) -> dict[str, Any]:
    """Forget that a connection was altered; returns the columns that are to be as they were."""
    found = edited(transaction, (district,)).get(district)
    transaction.execute(delete(HAND_EDIT).where(HAND_EDIT.c.district == district))
    return {c: found.was[c] for c in _PUT_BACK if c in found.was} if found else {}


def connection_of(spec: str, mapper_digest: str) -> Connection | None:
    """What a row says; None where it is not what the program writes."""
    try:
        return Connection(District.from_json(json.loads(spec)), mapper_digest)
    except _UNREADABLE:
        return None


def _edited(row: Row[Any], note: Any) -> Edited:
    try:
        was = {str(column): held[0] for column, held in json.loads(note.was).items()}
    except (*_UNREADABLE, IndexError):
        was = {}
    return Edited(row._mapping, note, was)


def _typed(column: str, value: Any) -> Any:
    return bool(value) if column in _FLAGS else value


def _shown(column: str, now: Any, before: Any) -> tuple[Any, Any]:
    """As reports have them: what is long, or tells nobody anything, is said to be there or not."""
    if column in _LONG:
        return "other than recorded", "as recorded"
    return now, before
