"""Reading history back, newest first."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import exists, select

from reconciler.store.tables import RUN, RUN_RESULT
from reconciler.store.views import ResultView, RunView


def history(transaction: Transaction, district: str | None, limit: int) -> list[RunView]:
    """The last `limit` runs with their results; with `district`, its results in those that touched it."""
    query = select(RUN).order_by(RUN.c.started_at.desc(), RUN.c.id.desc()).limit(limit)
    if district is not None:
        query = query.where(exists().where(RUN_RESULT.c.run == RUN.c.id, RUN_RESULT.c.district == district))
    runs = transaction.execute(query).all()
    results = _results(transaction, [run.id for run in runs], district)
    return [_run(run, tuple(results[run.id])) for run in runs]


def _results(
    transaction: Transaction, runs: list[str], district: str | None
) -> defaultdict[str, list[ResultView]]:
    query = select(RUN_RESULT).where(RUN_RESULT.c.run.in_(runs)).order_by(RUN_RESULT.c.id)
    if district is not None:
        query = query.where(RUN_RESULT.c.district == district)
    found: defaultdict[str, list[ResultView]] = defaultdict(list)
    for row in transaction.execute(query):
        found[row.run].append(_result(row))
    return found


def _run(row: Any, results: tuple[ResultView, ...]) -> RunView:
    return RunView(
        id=row.id,
        command=row.command,
        commit=row._mapping["commit"],
        author=row.author,
        actor=row.actor,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        summary=json.loads(row.summary) if row.summary else {},
        results=results,
        plan_digest=row.plan_digest,
    )


def _result(row: Any) -> ResultView:
    return ResultView(
        district=row.district,
        action=row.action,
        outcome=row.outcome,
        steps=tuple(json.loads(row.steps)),
        changes=tuple(json.loads(row.changes)),
        rows=json.loads(row.rows),
        error=json.loads(row.error) if row.error else None,
        at=row.at,
    )
