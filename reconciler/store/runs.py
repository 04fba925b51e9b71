"""History: runs and what each did to each district. Appended to, never changed; triggers see to it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select, update

from reconciler.errors import StoreError
from reconciler.planning.run import RunInfo
from reconciler.store.tables import RUN, RUN_RESULT


@dataclass(frozen=True, slots=True)
class Result:
    """What one run did to one district, as it is to be recorded."""

    district: str
    action: str
    outcome: str
    steps: Sequence[Mapping[str, Any]]
    changes: Sequence[Mapping[str, Any]]
    rows: Mapping[str, Mapping[str, int]]
    error: Mapping[str, Any] | None
    at: datetime


def begin_run(transaction: Transaction, info: RunInfo) -> str:
    """Put a run on record; its id sorts by its start, as `20261123T120000Z-9f3a1c`."""
    run = f"{_stamp(info.started_at)}-{secrets.token_hex(3)}"
    values = {
        "command": info.command,
        "commit": info.commit,
        "author": info.author,
        "actor": info.actor,
        "started_at": info.started_at,
        "plan_digest": info.plan_digest or None,
    }
    transaction.execute(insert(RUN).values(id=run, **values))
    return run


def record(transaction: Transaction, run: str, result: Result) -> None:
    """Append what the run did to one district."""
    values = {
        "district": result.district,
        "action": result.action,
        "outcome": result.outcome,
        "steps": _text([dict(step) for step in result.steps]),
        "changes": _text([dict(change) for change in result.changes]),
        "rows": _text({entity: dict(counts) for entity, counts in result.rows.items()}),
        "error": _text(dict(result.error)) if result.error else None,
        "at": result.at,
    }
    transaction.execute(insert(RUN_RESULT).values(run=run, **values))


def end_run(
    transaction: Transaction, run: str, *, outcome: str, summary: Mapping[str, int], at: datetime
) -> None:
    """Raises StoreError database.failed for a run that never began; the trigger refuses a second end."""
    values = {"outcome": outcome, "summary": _text(dict(summary)), "ended_at": at}
    ended = transaction.execute(update(RUN).where(RUN.c.id == run).values(values))
    if ended.rowcount != 1:
        raise StoreError(
            f"there is no run {run} to end", code="database.failed", hint="see `reconciler history`"
        )


def last_commit(transaction: Transaction) -> str:
    """The commit that was reconciled last, as history has it; empty where none was."""
    query = select(RUN.c.commit).where(RUN.c.command == "reconcile", RUN.c.commit != "")
    found = transaction.execute(query.order_by(RUN.c.started_at.desc(), RUN.c.id.desc()).limit(1)).scalar()
    return found or ""


def reconciles_since(transaction: Transaction, start: datetime) -> dict[str, str]:
    """Each run of reconcile that began at `start` or later with a commit: its id and the commit."""
    query = select(RUN.c.id, RUN.c.commit).where(RUN.c.command == "reconcile", RUN.c.commit != "")
    begun = transaction.execute(query.where(RUN.c.id >= _stamp(start)))
    return {row.id: row._mapping["commit"] for row in begun}


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
