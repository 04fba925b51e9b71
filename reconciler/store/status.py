"""Every connection as `status` shows it: where it is, what it holds, what is wrong with it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Select, func, select

from reconciler.config.district import District, Sftp
from reconciler.planning.connection import Phase
from reconciler.store.hand_edits import connection_of
from reconciler.store.tables import CONNECTION, ROSTER, SIS_SCHOOL
from reconciler.store.views import ConnectionView, LastSync, SchoolCounts


def connections(transaction: Transaction, district: str | None = None) -> list[ConnectionView]:
    """All connections, or the one of `district` if there is any, sorted by district."""
    rows = _active_rows(transaction, district)
    known = _known_schools(transaction, district)
    query = _of(select(CONNECTION), CONNECTION.c.district, district).order_by(CONNECTION.c.district)
    return [_view(row, rows[row.district], known[row.district]) for row in transaction.execute(query)]


def unreachable(transaction: Transaction) -> frozenset[str]:
    """The districts whose last run came to grief at their server."""
    problems = select(CONNECTION.c.district, CONNECTION.c.problem).where(CONNECTION.c.problem.is_not(None))
    found = transaction.execute(problems)
    said = {row.district: _problem(row.problem) for row in found}
    return frozenset(
        name for name, problem in said.items() if problem and problem["code"].startswith("sftp.")
    )


def _problem(said: str | None) -> dict[str, Any] | None:
    """What the last run reported; nothing where somebody has put there what no run writes."""
    try:
        found = json.loads(said or "null")
        return dict(found) | {"code": str(found["code"]), "message": str(found["message"])}
    except (ValueError, KeyError, TypeError):
        return None


def sync_status(desired_state: str, retired: bool, outcome: str | None, phase: str) -> str:
    """The one word for a connection: what stops it comes before what ails it."""
    if retired or desired_state == "stopped":
        return "Stopped"
    if outcome == "blocked":
        return "Blocked"
    if outcome == "failed":
        return "Failing"
    return "Started" if phase == Phase.SYNCING else "Not started"


def _of(query: Select[Any], column: Any, district: str | None) -> Select[Any]:
    return query if district is None else query.where(column == district)


def _active_rows(transaction: Transaction, district: str | None) -> Mapping[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(ROSTER, 0))
    for entity, table in ROSTER.items():
        query = select(table.c.district, func.count()).where(table.c.active == True)  # noqa: E712
        query = _of(query, table.c.district, district).group_by(table.c.district)
        for owner, count in transaction.execute(query):
            counts[owner][entity] = count
    return counts


def _known_schools(transaction: Transaction, district: str | None) -> Mapping[str, set[str]]:
    schools: dict[str, set[str]] = defaultdict(set)
    query = _of(select(SIS_SCHOOL.c.district, SIS_SCHOOL.c.id), SIS_SCHOOL.c.district, district)
    for owner, sis_id in transaction.execute(query):
        schools[owner].add(sis_id)
    return schools


def _spec(row: Any) -> District:
    """What the row says; of one that somebody has made unreadable, what other columns repeat of it."""
    connection = connection_of(row.spec, row.mapper_digest)
    return (
        connection.district
        if connection
        else District(row.district, row.name, row.account, Sftp("", ""), row.mapper)
    )


def _view(row: Any, rows: dict[str, int], known: set[str]) -> ConnectionView:
    spec = _spec(row)
    mapped = {school.sis_id for school in spec.schools}
    ignored = set(spec.ignored_schools)
    synced = row.last_sync_at and LastSync(row.last_sync_at, row.last_sync_outcome, row.last_sync_commit)
    return ConnectionView(
        district=row.district,
        name=row.name,
        account=row.account,
        mapper=row.mapper,
        host=spec.sftp.host,
        schedule=spec.sync.schedule,
        phase=row.phase,
        sync_status=sync_status(spec.sync.state, row.retired_at is not None, row.outcome, row.phase),
        unfinished=row.unfinished,
        outcome=row.outcome,
        schools=SchoolCounts(len(mapped), len(known - mapped - ignored), len(ignored)),
        rows=rows,
        last_sync=synced or None,
        problem=_problem(row.problem),
        retired_at=row.retired_at,
    )
