"""History: what happened, newest first, and nobody changes it afterwards."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from reconciler.errors import StoreError
from reconciler.planning.run import RunInfo
from reconciler.store import Store
from reconciler.store.database import Database
from tests.store import samples

PROBLEM = {"code": "sftp.auth", "message": "refused", "hint": "check the password"}


def test_a_run_is_read_back_with_all_that_it_did(store: Store) -> None:
    run = store.begin_run(samples.RUN)
    _record(store, run, "riverbend-isd")
    _record(store, run, "hill-valley", outcome="failed", error=PROBLEM)
    store.end_run(run, outcome="failed", summary={"succeeded": 1, "failed": 1}, at=samples.LATER)
    (view,) = store.history()
    assert view.to_json() == {
        "id": run,
        "command": "reconcile",
        "commit": "4f2c9e1",
        "author": "Rosa",
        "actor": "ci",
        "started_at": "2026-11-23T12:00:00Z",
        "ended_at": "2026-11-24T12:00:00Z",
        "outcome": "failed",
        "plan_digest": "8d969eef",
        "summary": {"succeeded": 1, "failed": 1},
        "results": [
            {
                "district": "riverbend-isd",
                "action": "create",
                "outcome": "succeeded",
                "steps": [{"name": "test", "outcome": "succeeded", "seconds": 0.5}],
                "changes": [{"path": "sftp.host", "before": None, "after": "h"}],
                "rows": {"students": {"added": 2}},
                "error": None,
                "at": "2026-11-23T12:00:00Z",
            },
            view.results[1].to_json() | {"outcome": "failed", "error": PROBLEM},
        ],
    }


def test_the_id_of_a_run_sorts_by_its_start(store: Store) -> None:
    assert re.fullmatch(r"20261123T120000Z-[0-9a-f]{6}", store.begin_run(samples.RUN))


def test_a_run_that_was_killed_has_no_end(store: Store) -> None:
    store.begin_run(samples.RUN)
    (view,) = store.history()
    assert (view.ended_at, view.outcome, view.to_json()["summary"]) == (None, None, {})


def test_runs_come_newest_first_and_no_more_than_asked_for(store: Store) -> None:
    runs = [
        store.begin_run(RunInfo("sync", samples.NOON + timedelta(milliseconds=milliseconds)))
        for milliseconds in (0, 20, 10)
    ]
    assert [view.id for view in store.history(limit=2)] == [runs[1], runs[2]]


def test_a_districts_history_holds_its_own_results_only(store: Store) -> None:
    for districts in (["riverbend-isd"], ["hill-valley", "riverbend-isd"], ["hill-valley"]):
        run = store.begin_run(samples.RUN)
        for district in districts:
            _record(store, run, district)
    views = store.history("riverbend-isd")
    assert [[result.district for result in view.results] for view in views] == [["riverbend-isd"]] * 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE run_result SET outcome = 'succeeded'",
        "DELETE FROM run_result",
        "DELETE FROM run",
        "UPDATE run SET author = 'nobody'",
        "UPDATE run SET plan_digest = 'another'",
        "UPDATE run SET outcome = 'succeeded'",
    ],
)
def test_history_is_append_only(store: Store, database_url: str, statement: str) -> None:
    run = store.begin_run(samples.RUN)
    _record(store, run, "riverbend-isd", outcome="failed")
    store.end_run(run, outcome="failed", summary={}, at=samples.LATER)
    before = store.history()
    database = Database(database_url)
    with pytest.raises(StoreError) as refused:
        database.write(lambda connection: connection.execute(text(statement)))
    database.close()
    assert refused.value.code == "database.failed"
    assert store.history() == before


@pytest.mark.parametrize("column", ["id", '"commit"', "author", "actor", "plan_digest"])
def test_what_a_run_began_with_stays_while_it_runs(store: Store, database_url: str, column: str) -> None:
    store.begin_run(samples.RUN)
    before = store.history()
    database = Database(database_url)
    with pytest.raises(StoreError):
        database.write(lambda connection: connection.execute(text(f"UPDATE run SET {column} = 'another'")))
    database.close()
    assert store.history() == before


def test_a_run_ends_once(store: Store) -> None:
    run = store.begin_run(samples.RUN)
    store.end_run(run, outcome="succeeded", summary={}, at=samples.NOON)
    with pytest.raises(StoreError):
        store.end_run(run, outcome="failed", summary={}, at=samples.LATER)
    assert [view.outcome for view in store.history()] == ["succeeded"]


def test_a_run_that_never_began_cannot_end(store: Store) -> None:
    with pytest.raises(StoreError, match="no run"):
        store.end_run("20260101T000000Z-000000", outcome="succeeded", summary={}, at=samples.NOON)


def _record(store: Store, run: str, district: str, outcome: str = "succeeded", error: object = None) -> None:
    store.record(
        run,
        district,
        action="create",
        outcome=outcome,
        steps=[{"name": "test", "outcome": "succeeded", "seconds": 0.5}],
        changes=[{"path": "sftp.host", "before": None, "after": "h"}],
        rows={"students": {"added": 2}},
        error=error,  # type: ignore[arg-type]
        at=samples.NOON,
    )
