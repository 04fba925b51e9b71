"""What is planned for a connection that somebody altered in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings

from reconciler.planning.change import Action, Change, FieldChange, Step
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.hand_edit import STATE, HandEdit
from reconciler.planning.plan import build_plan
from tests.planning import test_laws as laws
from tests.planning.samples import NOW, connection, observed

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
ALL = (Step.TEST, Step.INITIALIZE, Step.MAP_SCHOOLS, Step.SYNC)


def planned(desired: Connection, seen: Observed) -> Change | None:
    name = desired.district.id
    plan = build_plan({name: desired}, {name: seen}, now=NOW, retire_after=timedelta(days=30))
    return plan.changes[0] if plan.changes else None


def altered(now: Connection | None, *columns: FieldChange, kind: str = "update") -> Observed:
    """A connection that was synced, and then altered to say something else."""
    return observed(connection(), edit=HandEdit(AT, "rosa", kind, now, columns))


def test_a_field_says_when_it_was_altered_and_as_whom() -> None:
    change = planned(connection(), altered(connection(sftp={"host": "elsewhere.example"})))
    assert change is not None
    assert change.action is Action.UPDATE
    assert change.steps == (Step.TEST, Step.SYNC)
    assert [f.to_json() for f in change.fields] == [
        {
            "path": "sftp.host", "before": "elsewhere.example", "after": "sftp.oak.example",
            "drift": True, "edited_at": "2026-11-22T03:04:05Z", "edited_by": "rosa",
        }
    ]  # fmt: skip


def test_a_connection_that_was_stopped_by_hand_is_an_update() -> None:
    change = planned(connection(), altered(connection(sync={"state": "stopped"})))
    assert change is not None
    assert change.action is Action.UPDATE


@pytest.mark.parametrize("column", sorted(STATE))
def test_where_more_than_the_spec_was_altered_every_step_is_taken_again(column: str) -> None:
    change = planned(connection(), altered(connection(), FieldChange(column, "now", "before")))
    assert change is not None
    assert (change.steps, change.begins) == (ALL, Phase.SAVED)
    assert [f.path for f in change.fields if f.drift] == [column]


@pytest.mark.parametrize(
    "seen", [altered(None), altered(connection(), kind="insert")], ids=["cannot be read", "was put there"]
)
def test_every_step_is_taken_again_of_a_row_that(seen: Observed) -> None:
    change = planned(connection(), seen)
    assert change is not None
    assert change.steps == ALL


def test_a_copy_of_what_the_spec_says_is_written_again_and_no_step_follows() -> None:
    change = planned(connection(), altered(connection(), FieldChange("account", "x", "account of oak")))
    assert change is not None
    assert change.steps == ()


@settings(deadline=None)
@given(laws.connections, laws.connections, laws.observations)
def test_an_altered_connection_is_always_planned_and_never_started_or_stopped(
    desired: Connection, now: Connection, was: Observed
) -> None:
    if was.retired_at is not None:
        return
    recorded = replace(desired, district=replace(desired.district))
    seen = replace(was, connection=recorded, edit=HandEdit(AT, connection=now))
    change = planned(desired, seen)
    assert change is not None
    assert change.action is Action.UPDATE
    assert all(f.drift for f in change.fields)
