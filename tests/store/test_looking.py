"""What `status` and `export` show: the same, in the same order, on every database."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.config.district import Sync
from reconciler.errors import UsageError
from reconciler.planning.connection import Phase
from reconciler.store import Store
from reconciler.store.status import sync_status
from tests.store import samples
from tests.store.samples import delta, row, saved, write

PROBLEM = {"code": "sync.removals", "message": "would remove 40 %", "hint": "--allow-removals riverbend-isd"}


def test_a_new_connection_has_not_started(store: Store) -> None:
    saved(store)
    (view,) = store.connections()
    assert view.to_json() == {
        "district": "riverbend-isd",
        "name": "Riverbend ISD",
        "account": "104592",
        "mapper": "oneroster-1.1",
        "host": "sftp.riverbend.example",
        "schedule": "0 2 * * *",
        "phase": "saved",
        "sync_status": "Not started",
        "unfinished": True,
        "outcome": None,
        "schools": {"mapped": 1, "unmapped": 0, "ignored": 1},
        "rows": {"students": 0, "contacts": 0, "relationships": 0, "staff": 0},
        "last_sync": None,
        "problem": None,
        "retired_at": None,
    }


def test_a_synced_connection_tells_its_rows_schools_and_last_sync(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    write(store, lease, [delta("students", removals=[("S2",)])])
    (view,) = store.connections()
    assert view.sync_status == "Started"
    assert view.rows == {"students": 1, "contacts": 1, "relationships": 2, "staff": 1}
    assert view.schools.to_json() == {"mapped": 1, "unmapped": 1, "ignored": 1}


def test_a_hold_is_told_with_its_problem_and_the_last_sync_says_blocked(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    _finish(store, lease, "blocked", PROBLEM, synced=True)
    (view,) = store.connections("riverbend-isd")
    assert (view.sync_status, view.problem) == ("Blocked", PROBLEM)
    assert view.last_sync is not None
    assert view.last_sync.to_json() == {
        "at": "2026-11-24T12:00:00Z",
        "outcome": "blocked",
        "commit": "4f2c9e1",
    }


def test_a_failure_that_was_no_sync_leaves_the_last_sync_as_it_was(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    _finish(store, lease, "failed", PROBLEM, synced=False)
    (view,) = store.connections()
    assert view.sync_status == "Failing"
    assert view.last_sync is not None
    assert view.last_sync.outcome == "succeeded"


def test_success_forgets_the_problem(store: Store) -> None:
    lease = saved(store)
    _finish(store, lease, "failed", PROBLEM, synced=False)
    _finish(store, lease, "succeeded", None, synced=False)
    (view,) = store.connections()
    assert (view.problem, view.outcome) == (None, "succeeded")


def test_a_retired_connection_is_stopped_and_says_since_when(store: Store) -> None:
    lease = saved(store)
    store.retire(lease, samples.LATER)
    (view,) = store.connections()
    assert (view.sync_status, view.to_json()["retired_at"]) == ("Stopped", "2026-11-24T12:00:00Z")


def test_a_connection_that_shall_stop_is_stopped_from_the_moment_it_is_saved(store: Store) -> None:
    saved(store, sync=Sync(state="stopped"))
    assert [view.sync_status for view in store.connections()] == ["Stopped"]


def test_only_the_district_that_is_asked_for_is_shown(store: Store) -> None:
    for district in ("b", "a"):
        saved(store, district)
    assert [view.district for view in store.connections()] == ["a", "b"]
    assert [view.district for view in store.connections("b")] == ["b"]
    assert store.connections("c") == []


@pytest.mark.parametrize(
    ("state", "retired", "outcome", "phase", "status"),
    [
        ("started", False, None, Phase.SAVED, "Not started"),
        ("started", False, "succeeded", Phase.INITIALIZED, "Not started"),
        ("started", False, "succeeded", Phase.SYNCING, "Started"),
        ("started", False, "unchanged", Phase.SYNCING, "Started"),
        ("started", False, "blocked", Phase.SYNCING, "Blocked"),
        ("started", False, "failed", Phase.SAVED, "Failing"),
        ("stopped", False, "failed", Phase.SYNCING, "Stopped"),
        ("started", True, "blocked", Phase.SYNCING, "Stopped"),
    ],
)
def test_one_word_says_how_a_connection_is(
    state: str, retired: bool, outcome: str | None, phase: Phase, status: str
) -> None:
    assert sync_status(state, retired, outcome, phase) == status


EXPORTED = {
    "schools": "district id name type nces_id students school",
    "students": "district id school sis_school first_name middle_name last_name preferred_name grade "
    "birth_date gender email homeroom student_number status",
    "contacts": "district id first_name last_name phone phone_2 email address notes",
    "relationships": "district student contact relationship priority may_pick_up emergency custody_alert",
    "staff": "district id school sis_school first_name last_name email phone role",
}


@pytest.mark.parametrize(("entity", "columns"), EXPORTED.items(), ids=EXPORTED.keys())
def test_an_export_has_the_columns_of_the_contract_in_their_order(
    store: Store, entity: str, columns: str
) -> None:
    write(store, saved(store), samples.family())
    assert {tuple(exported) for exported in store.export(entity)} == {tuple(columns.split())}
    assert store.export_columns(entity) == tuple(columns.split())


def test_an_export_is_ordered_by_district_and_key_bytewise_on_every_database(store: Store) -> None:
    keys = ["é", "z", "a", "B", "10", "9", "a b", "a-b", "_", "Ä"]
    for district in ("b", "a-1", "a"):
        write(store, saved(store, district), [delta("students", [row("students", key) for key in keys])])
    exported = [(student["district"], student["id"]) for student in store.export("students")]
    assert exported == [
        (d, key) for d in ("a", "a-1", "b") for key in ("10", "9", "B", "_", "a", "a b", "a-b", "z", "Ä", "é")
    ]


def test_only_active_rows_are_exported(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    write(store, lease, [delta("students", removals=[("S1",)])])
    assert [student["id"] for student in store.export("students")] == ["S2"]


def test_a_contact_is_at_the_schools_of_the_students_it_is_related_to(store: Store) -> None:
    write(store, saved(store), _two_schools())
    assert _keys(store, "contacts", "lincoln-elementary") == ["Both", "Lincoln"]
    assert _keys(store, "contacts", "grant-high") == ["Both"]
    assert _keys(store, "relationships", "grant-high") == ["S2"]
    assert _keys(store, "students", "grant-high") == ["S2"]
    assert _keys(store, "staff", "lincoln-elementary") == ["T1"]
    assert _keys(store, "schools", "lincoln-elementary") == ["0042"]
    assert _keys(store, "contacts", "nowhere") == []


def test_the_school_of_a_removed_student_or_relationship_does_not_count(store: Store) -> None:
    lease = saved(store)
    write(store, lease, _two_schools())
    write(store, lease, [delta("relationships", removals=[("S2", "Both")])])
    assert _keys(store, "contacts", "grant-high") == []
    write(store, lease, [delta("students", removals=[("S1",)])])
    assert _keys(store, "contacts", "lincoln-elementary") == []


def test_an_export_of_one_district_leaves_the_others_out(store: Store) -> None:
    for district in ("a", "b"):
        write(store, saved(store, district), samples.family())
    for entity in EXPORTED:
        assert {exported["district"] for exported in store.export(entity, "b")} == {"b"}


def test_an_entity_that_does_not_exist_is_wrong_usage(store: Store) -> None:
    with pytest.raises(UsageError, match="buses"):
        store.export("buses")


def _two_schools() -> list[Any]:
    relations = [("S1", "Lincoln"), ("S1", "Both"), ("S2", "Both")]
    return [
        delta("students", [row("students", "S1"), row("students", "S2", school="grant-high")]),
        delta("contacts", [row("contacts", key) for key in ("Lincoln", "Both", "Nobody's")]),
        delta("relationships", [row("relationships", *pair) for pair in relations]),
        delta("staff", [row("staff", "T1"), row("staff", "T2", school="", sis_school="")]),
    ]


def _keys(store: Store, entity: str, school: str) -> list[str]:
    return [exported.get("id") or exported["student"] for exported in store.export(entity, school=school)]


def _finish(store: Store, lease: Any, outcome: str, problem: dict[str, str] | None, *, synced: bool) -> None:
    run = store.begin_run(samples.RUN)
    store.finish(
        lease, outcome=outcome, problem=problem, unfinished=False, synced=synced, run=run, at=samples.LATER
    )
