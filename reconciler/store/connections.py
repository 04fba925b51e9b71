"""Connections as the database has them: what was applied, how far it came, how it ended.

The functions that change something take a database connection inside a transaction that has proved its
lease already.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, delete, insert, select, update

from reconciler.config.district import District
from reconciler.errors import StoreError
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.hand_edit import HandEdit
from reconciler.roster.delta import Reject, SisSchool, Snapshot
from reconciler.store import kept_files
from reconciler.store.hand_edits import connection_of, edited, put_back
from reconciler.store.snapshots import snapshot_from_text, snapshot_to_text
from reconciler.store.tables import CONNECTION, HAND_EDIT, REJECT, ROSTER, RUN, SIS_SCHOOL

_OBSERVED = (
    CONNECTION.c.district,
    CONNECTION.c.spec,
    CONNECTION.c.mapper_digest,
    CONNECTION.c.phase,
    CONNECTION.c.unfinished,
    CONNECTION.c.retired_at,
    CONNECTION.c.deactivated,
    CONNECTION.c.host_key_seen,
    CONNECTION.c.secret_slot,
    CONNECTION.c.outcome,
    CONNECTION.c.hold_digest,
)


def observe(transaction: Transaction, districts: Collection[str] | None = None) -> dict[str, Observed]:
    """Every connection, or these districts', by district and sorted by it."""
    query = select(*_OBSERVED).order_by(CONNECTION.c.district)
    if districts is not None:
        query = query.where(CONNECTION.c.district.in_(districts))
    altered = edited(transaction, districts)
    found = {}
    for row in transaction.execute(query):
        one = altered.get(row.district)
        seen = _observed(one.recorded, one.hand_edit()) if one else _observed(row._mapping)
        if seen is not None:
            found[row.district] = seen
    return found


def save(transaction: Transaction, connection: Connection, phase: Phase) -> None:
    """Put the spec on record, to be carried out: unfinished until `finish` says otherwise."""
    district = connection.district
    values = {
        "account": district.account,
        "name": district.name,
        "spec": _spec(district),
        "mapper": district.mapper,
        "mapper_digest": connection.mapper_digest,
        "fingerprint": connection.fingerprint or None,
        "phase": phase.value,
        "unfinished": True,
        "retired_at": None,
        "deactivated": False,
    }
    before = observe(transaction, (district.id,)).get(district.id)
    values |= put_back(transaction, district.id) | (_forgotten(before, connection) if before else {})
    one = CONNECTION.c.district == district.id
    if transaction.execute(update(CONNECTION).where(one).values(values)).rowcount == 0:
        values["delta_key"] = new_key()
        transaction.execute(insert(CONNECTION).values(district=district.id, **values))


def recognize(transaction: Transaction, connections: Iterable[Connection]) -> None:
    """Note the fingerprints of files that say what is on record; nothing where it is something else by now.

    No lease is needed: what a file with this fingerprint says does not depend on who notes it.
    """
    wanted = {one.district.id: one for one in connections}
    rows = [
        {"of": row.district, "says": row.spec, "by": row.mapper_digest, "found": one.fingerprint}
        for row in transaction.execute(select(*_OBSERVED))
        if (one := wanted.get(row.district)) and connection_of(row.spec, row.mapper_digest) == one
    ]
    if rows and transaction.dialect.name == "postgresql":
        _note_one_by_one(transaction, rows)
    elif rows:
        same = (
            CONNECTION.c.district.not_in(select(HAND_EDIT.c.district)),
            CONNECTION.c.district == bindparam("of"),
            CONNECTION.c.spec == bindparam("says"),
            CONNECTION.c.mapper_digest == bindparam("by"),
        )
        transaction.execute(update(CONNECTION).where(*same).values(fingerprint=bindparam("found")), rows)


_NAME = "SELECT set_config('reconciler.district', %(of)s, true)"
_NOTE = """UPDATE connection SET fingerprint = %(found)s, writes = writes + 1
    WHERE district = %(of)s AND spec = %(says)s AND mapper_digest = %(by)s
    AND NOT EXISTS (SELECT FROM hand_edit WHERE district = %(of)s)"""
"""Counted, as SQLAlchemy counts every other write of ours: see `ConnectionTable.writes`."""


def _note_one_by_one(transaction: Transaction, rows: Sequence[Mapping[str, str]]) -> None:
    """Each in the name of its own district, for nobody may write in the name of all; no answer is awaited."""
    driver: Any = transaction.connection.driver_connection
    with driver.pipeline(), driver.cursor() as cursor:
        for row in rows:
            cursor.execute(_NAME, row)
            cursor.execute(_NOTE, row)


def _spec(district: District) -> str:
    return json.dumps(district.to_json(), sort_keys=True, ensure_ascii=False)


def change(transaction: Transaction, district: str, **values: Any) -> None:
    """Alter a connection on record. Raises StoreError database.failed where there is none."""
    changed = transaction.execute(update(CONNECTION).where(CONNECTION.c.district == district).values(values))
    if changed.rowcount != 1:
        raise StoreError(
            f"{district}: the database has no such connection",
            code="database.failed",
            hint="run `reconciler reconcile` to create it",
        )


def finish(
    transaction: Transaction,
    district: str,
    *,
    outcome: str,
    problem: Mapping[str, Any] | None,
    unfinished: bool | None,
    synced: bool,
    run: str,
    at: datetime,
) -> None:
    """Put on record how a run ended for the district; nothing to do where it never was saved."""
    values: dict[str, Any] = {
        "outcome": outcome,
        "problem": json.dumps(dict(problem), sort_keys=True) if problem else None,
    }
    if unfinished is not None:
        values["unfinished"] = unfinished
    if synced:
        values |= last_sync(transaction, outcome, run, at)
    if problem and problem.get("digest"):
        values |= {"hold": values["problem"], "hold_digest": problem["digest"]}
    elif synced and not problem:
        values |= {"hold": None, "hold_digest": None}
    transaction.execute(update(CONNECTION).where(CONNECTION.c.district == district).values(values))


def last_sync(transaction: Transaction, outcome: str, run: str, at: datetime) -> dict[str, Any]:
    """The columns that tell of the last sync, its commit taken from the run."""
    commit = transaction.execute(select(RUN.c.commit).where(RUN.c.id == run)).scalar()
    return {"last_sync_at": at, "last_sync_outcome": outcome, "last_sync_commit": commit or None}


def deactivate(transaction: Transaction, district: str, at: datetime) -> dict[str, int]:
    """Make all of the district's rows inactive; how many of each entity were not already."""
    counts = {}
    for entity, table in ROSTER.items():
        rows = update(table).where(table.c.district == district, table.c.active == True)  # noqa: E712
        counts[entity] = transaction.execute(rows.values(active=False, removed_at=at)).rowcount
    kept_files.replace(transaction, district, ())
    change(transaction, district, deactivated=True, unfinished=False)
    return counts


def replace_schools(transaction: Transaction, district: str, schools: Sequence[SisSchool]) -> None:
    transaction.execute(delete(SIS_SCHOOL).where(SIS_SCHOOL.c.district == district))
    rows = [
        {
            "district": district,
            "id": school.sis_id,
            "name": school.name or None,
            "type": school.type or None,
            "nces_id": school.nces_id or None,
            "students": school.students,
        }
        for school in schools
    ]
    if rows:
        transaction.execute(insert(SIS_SCHOOL), rows)


def replace_rejects(transaction: Transaction, district: str, rejects: Sequence[Reject]) -> None:
    transaction.execute(delete(REJECT).where(REJECT.c.district == district))
    rows = [
        {
            "district": district,
            "position": position,
            "entity": reject.entity,
            "file": reject.file,
            "row": reject.row,
            "column": reject.column,
            "code": reject.code,
            "reason": reject.reason,
            "severity": reject.severity,
            "key": reject.key,
        }
        for position, reject in enumerate(rejects)
    ]
    if rows:
        transaction.execute(insert(REJECT), rows)


def snapshot(transaction: Transaction, district: str) -> Snapshot:
    """Which files the stored rows came from; an empty one where that is not known."""
    query = select(CONNECTION.c.snapshot).where(CONNECTION.c.district == district)
    return snapshot_from_text(transaction.execute(query).scalar())


def keep_pending(transaction: Transaction, district: str, pending: Mapping[str, tuple[str, ...]]) -> None:
    """Put on record which files of the district were seen and not applied; what was applied stays."""
    now = replace(snapshot(transaction, district), pending=pending)
    change(transaction, district, snapshot=snapshot_to_text(now))


def rejects(transaction: Transaction, district: str) -> list[Reject]:
    """The rows of the last sync that were not taken, in the order in which they were found."""
    query = select(REJECT).where(REJECT.c.district == district).order_by(REJECT.c.position)
    names = [field.name for field in fields(Reject)]
    return [Reject(**{name: row._mapping[name] for name in names}) for row in transaction.execute(query)]


def sis_schools(transaction: Transaction, district: str) -> list[SisSchool]:
    """The district's schools as its files last named them, sorted by their id."""
    query = select(SIS_SCHOOL).where(SIS_SCHOOL.c.district == district).order_by(SIS_SCHOOL.c.id)
    return [
        SisSchool(row.id, row.name or "", row.type or "", row.nces_id or "", row.students)
        for row in transaction.execute(query)
    ]


def hold(transaction: Transaction, district: str) -> dict[str, Any] | None:
    """What holds the district's sync, as its report said it; None where nothing with a digest does."""
    found = _recorded(transaction, district, "hold")
    return dict(json.loads(found)) if found else None


def delta_key(transaction: Transaction, district: str) -> str:
    """The key of the district's digests; empty where it has no connection."""
    return _recorded(transaction, district, "delta_key")


def _recorded(transaction: Transaction, district: str, column: str) -> str:
    """What the program wrote into the column, whatever stands there by hand; empty for nothing."""
    altered = edited(transaction, (district,)).get(district)
    if altered:
        return str(altered.recorded[column] or "")
    query = select(CONNECTION.c[column]).where(CONNECTION.c.district == district)
    return str(transaction.execute(query).scalar() or "")


def new_key() -> str:
    """A key that nobody can guess, so that a digest tells nobody what it is of."""
    return secrets.token_hex(32)


def _observed(row: Mapping[Any, Any], edit: HandEdit | None = None) -> Observed | None:
    """None for a row that the program did not write and cannot read."""
    connection = connection_of(row["spec"], row["mapper_digest"])
    if connection is None and edit is None:
        raise StoreError(
            f"{row['district']}: what the database has of this connection cannot be read",
            code="database.failed",
            hint="restore the row, or delete it: `reconcile` writes it anew from the district's file",
        )
    if connection is None:
        return None
    return Observed(
        connection=connection,
        phase=Phase(row["phase"]),
        unfinished=row["unfinished"],
        retired_at=row["retired_at"],
        deactivated=row["deactivated"],
        held=row["outcome"] == "blocked",
        host_key_seen=row["host_key_seen"] or "",
        secret_slot=row["secret_slot"] or "",
        hold_digest=row["hold_digest"] or "",
        edit=edit,
    )


def _forgotten(before: Observed, now: Connection) -> dict[str, Any]:
    """What is no longer true of a connection that is saved again.

    Inactive rows come back only through a full sync, so what was read last must not count as known. A
    host key belongs to its host and port: another server's first key is to be seen anew. Which of two secrets
    the server takes is to be found out anew where the login or its secrets are others.
    """
    forgotten: dict[str, Any] = {}
    if before.deactivated:
        forgotten["snapshot"] = None
    was = before.connection.district.sftp
    if (was.host, was.port) != (now.district.sftp.host, now.district.sftp.port):
        forgotten["host_key_seen"] = None
    if not before.slot_for(now):
        forgotten["secret_slot"] = None
    return forgotten
