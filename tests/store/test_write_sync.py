"""A sync's rows: written all or not at all, in the right order, and the same however often."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from reconciler.errors import StoreError
from reconciler.roster.delta import EntityDelta
from reconciler.store import Store
from reconciler.store.database import Database
from reconciler.store.snapshots import snapshot_from_text, snapshot_to_text
from reconciler.store.tables import STUDENT
from tests.store import samples
from tests.store.processes import heard, process
from tests.store.samples import delta, row, rows_of, saved, write

DISTRICT = "riverbend-isd"
OLD = [("S1", "h1", True), ("S2", "h1", True)]


def test_rows_are_written_in_the_order_in_which_they_point_at_each_other(store: Store) -> None:
    write(store, saved(store), samples.family())
    assert rows_of(store, "students") == OLD
    assert rows_of(store, "contacts") == [("C1", "h1", True)]
    assert rows_of(store, "relationships") == [("S1", "C1", "h1", True), ("S2", "C1", "h1", True)]
    assert rows_of(store, "staff") == [("T1", "h1", True)]


def test_what_the_sync_knows_is_written_with_the_rows(store: Store) -> None:
    write(store, saved(store), samples.family())
    assert store.snapshot(DISTRICT) == samples.SNAPSHOT
    assert store.rejects(DISTRICT) == list(samples.REJECTS)
    assert store.sis_schools(DISTRICT) == list(samples.SCHOOLS)
    (view,) = store.connections()
    assert view.phase == "syncing"
    assert view.last_sync is not None
    assert view.last_sync.to_json() == {
        "at": "2026-11-23T12:00:00Z",
        "outcome": "succeeded",
        "commit": "4f2c9e1",
    }


def test_a_sync_that_read_no_rows_leaves_rejects_and_schools_as_they_are(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    store.write_sync(
        lease, [], rejects=None, schools=None, snapshot=samples.SNAPSHOT, run="r", at=samples.LATER
    )
    assert store.rejects(DISTRICT) == list(samples.REJECTS)
    assert store.sis_schools(DISTRICT) == list(samples.SCHOOLS)


def test_a_few_stored_rows_are_looked_up_by_their_keys(store: Store) -> None:
    write(store, saved(store), samples.family())
    write(store, saved(store, "other-isd"), samples.family())
    keys = [("S1", "C1"), ("S2", "C1"), ("S1", "C9"), *((f"X{n}", "C1") for n in range(900))]
    found = store.stored_values(DISTRICT, "relationships", ("student", "may_pick_up"), keys)
    assert sorted((*cells, bool(active)) for *cells, active in found) == [
        ("S1", "yes", True),
        ("S2", "yes", True),
    ]
    assert [r[0] for r in store.stored_values(DISTRICT, "contacts", ("phone",), [("C1",)])] == ["+15550100"]
    assert list(store.stored_values(DISTRICT, "contacts", ("phone",), [])) == []


@pytest.mark.parametrize(("entity", "columns"), [("parents", ("id",)), ("contacts", ("id", "shoe_size"))])
def test_what_is_not_stored_cannot_be_looked_up(store: Store, entity: str, columns: tuple[str, ...]) -> None:
    with pytest.raises(StoreError) as caught:
        list(store.stored_values(DISTRICT, entity, columns, [("1",)]))
    assert caught.value.code == "database.failed"


def test_a_snapshot_of_an_earlier_version_is_still_read() -> None:
    value = json.loads(snapshot_to_text(samples.SNAPSHOT))
    for key in ("formats", "rows", "order"):
        del value[key]
    assert snapshot_from_text(json.dumps(value)) == replace(samples.SNAPSHOT, formats={}, rows={}, order={})


def test_applying_a_delta_twice_equals_applying_it_once(store: Store) -> None:
    lease = saved(store)
    deltas = [
        *samples.family()[:3],
        delta("students", [row("students", "S1"), row("students", "S2")], [("S9",)]),
    ]
    write(store, lease, deltas)
    once = _exported(store)
    write(store, lease, deltas)
    assert _exported(store) == once


def test_a_removed_row_is_inactive_and_active_again_when_it_returns(store: Store, database_url: str) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    write(store, lease, [delta("students", removals=[("S2",)])], samples.LATER)
    assert rows_of(store, "students") == [("S1", "h1", True), ("S2", "h1", False)]
    assert _times(database_url, "S2") == (samples.NOON, samples.NOON, samples.LATER)
    write(store, lease, [delta("students", [row("students", "S2", row_hash="h2")])], samples.LATER)
    assert rows_of(store, "students") == [("S1", "h1", True), ("S2", "h2", True)]
    assert _times(database_url, "S2") == (samples.NOON, samples.LATER, None)


def test_removing_a_row_that_is_inactive_or_unknown_changes_nothing(store: Store, database_url: str) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    write(store, lease, [delta("students", removals=[("S2",)])], samples.LATER)
    write(store, lease, [delta("students", removals=[("S2",), ("S404",)])], samples.NOON)
    assert _times(database_url, "S2")[2] == samples.LATER


def test_a_district_never_touches_anothers_rows(store: Store) -> None:
    write(store, saved(store, "hill-valley"), samples.family())
    lease = saved(store)
    write(store, lease, samples.family())
    write(store, lease, [delta("students", [row("students", "S1", row_hash="h2")], [("S2",)])])
    assert rows_of(store, "students", "hill-valley") == OLD


def test_empty_text_is_nothing_and_a_right_that_is_not_given_is_unknown(store: Store) -> None:
    family = samples.family()
    family[0] = delta(
        "relationships",
        [row("relationships", "S1", "C1", may_pick_up="", emergency=None, custody_alert="no")],
    )
    write(store, saved(store), family)
    (relationship,) = store.export("relationships")
    assert relationship == {
        "district": DISTRICT,
        "student": "S1",
        "contact": "C1",
        "relationship": None,
        "priority": None,
        "may_pick_up": "unknown",
        "emergency": "unknown",
        "custody_alert": "no",
    }


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien",
        "Zoë",
        "李",
        "a\tb\nc",
        'a "quoted" one',
        "\\N",
        "\\.",
        "%s ?1 :x",
        "0042",
        "00123456789012345678",
        "😀",
    ],
)
def test_text_comes_back_as_it_was_written(store: Store, text: str) -> None:
    write(store, saved(store), [delta("students", [row("students", text, last_name=text)])])
    (student,) = store.export("students")
    assert (student["id"], student["last_name"]) == (text, text)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(
            delta("relationships", [row("relationships", "S404", "C1")]), id="a student nobody knows"
        ),
        pytest.param(
            delta("relationships", [row("relationships", "S1", "C404")]), id="a contact nobody knows"
        ),
        pytest.param(
            delta("relationships", [row("relationships", "S1", "C1", may_pick_up="maybe")]),
            id="a right of its own",
        ),
        pytest.param(delta("staff", [row("staff", "")]), id="a row without an id"),
        pytest.param(delta("staff", [row("staff", "T2", last_name="")]), id="a required cell that is empty"),
        pytest.param(EntityDelta("staff", ("id",), lambda: iter(()), lambda: iter(())), id="columns missing"),
        pytest.param(EntityDelta("buses", ("id",), lambda: iter(()), lambda: iter(())), id="no such entity"),
    ],
)
def test_a_delta_that_breaks_a_rule_is_refused_and_nothing_of_the_sync_is_written(
    store: Store, bad: EntityDelta
) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    before = _exported(store)
    with pytest.raises(StoreError) as refused:
        write(store, lease, [delta("students", [row("students", "S7")], [("S1",)]), bad])
    assert refused.value.code == "database.failed"
    assert "S404" not in refused.value.message
    assert _exported(store) == before


def test_a_reader_sees_the_roster_before_or_after_but_never_between(store: Store) -> None:
    lease, seen = saved(store), []
    write(store, lease, samples.family())

    def upserts() -> Iterator[tuple[Any, ...]]:
        yield row("students", "S1", row_hash="h2")
        seen.append(rows_of(store, "students"))
        yield row("students", "S3", row_hash="h2")

    def removals() -> Iterator[tuple[str, ...]]:
        yield ("S2",)
        seen.append(rows_of(store, "students"))

    columns = delta("students").columns
    write(store, lease, [EntityDelta("students", columns, upserts, removals)])
    assert seen == [OLD, OLD]
    assert rows_of(store, "students") == [("S1", "h2", True), ("S2", "h1", False), ("S3", "h2", True)]


def test_a_stream_that_is_being_read_is_not_disturbed_by_a_sync(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    stream = store.stored_columns(DISTRICT, "students", ("id", "row_hash"))
    first = next(stream)
    write(store, lease, [delta("students", [row("students", "S3")], [("S2",)])])
    assert [(*r[:-1], bool(r[-1])) for r in (first, *stream)] == OLD


def test_keys_and_hashes_come_as_csv_whatever_the_keys_are(store: Store) -> None:
    lease = saved(store)
    keys = ["S1", 'a "quoted", id', "two\nlines", "Zoë", "NULL", "0042", "\\N"]
    write(store, lease, [delta("students", [row("students", key) for key in keys])])
    write(store, lease, [delta("students", removals=[("Zoë",)])])
    text = b"".join(store.stored_csv(DISTRICT, "students")).decode()
    found = sorted(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert found == sorted([key, "h1", "f" if key == "Zoë" else "t"] for key in keys)
    assert text.count('"') >= 6 * len(keys)
    assert not b"".join(store.stored_csv("another-isd", "students"))


def test_first_rows_and_later_ones_are_stored_alike(store: Store) -> None:
    """A district's first rows may take a shorter way into the table."""
    cells = {"first_name": 'A "b", c', "last_name": "two\nlines", "grade": "KG", "email": "\\."}
    first, second = row("students", "S1", **cells), row("students", "S2", **cells)
    lease = saved(store)
    write(store, lease, [as_csv(delta("students", [tuple(cell or None for cell in first)]))])
    write(store, lease, [delta("students", [second])])
    one, two = (tuple(r.values())[2:] for r in store.export("students"))
    assert one == two
    assert rows_of(store, "students") == [("S1", "h1", True), ("S2", "h1", True)]


def test_rows_that_fail_to_arrive_leave_the_old_ones(store: Store) -> None:
    lease = saved(store)
    write(store, lease, samples.family())

    def upserts() -> Iterator[tuple[Any, ...]]:
        yield row("students", "S1", row_hash="h2")
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write(store, lease, [EntityDelta("students", delta("students").columns, upserts, lambda: iter(()))])
    assert rows_of(store, "students") == OLD


def as_csv(plain: EntityDelta) -> EntityDelta:
    """The delta with its rows as CSV as well, as a roster hands them over."""

    def pieces(constants: Sequence[str]) -> Iterator[bytes]:
        for cells in plain.upserts():
            quoted = ("" if c is None else '"' + c.replace('"', '""') + '"' for c in (*constants, *cells))
            yield (",".join(quoted) + "\n").encode()

    return replace(plain, upserts_csv=pieces)


KILLED = """
from reconciler.roster.delta import EntityDelta
lease = store.acquire("riverbend-isd", wait_seconds=0)

def upserts():
    for number in range(5000):
        yield samples.row("students", f"S{number}", row_hash="h2")
    say_and_wait("in the middle")

columns = samples.delta("students").columns
samples.write(store, lease, [EntityDelta("students", columns, upserts, lambda: iter([("S2",)]))])
"""


def test_a_sync_killed_in_the_middle_leaves_the_old_rows_and_its_place_to_the_next(
    store: Store, database_url: str
) -> None:
    lease = saved(store)
    write(store, lease, samples.family())
    store.release(lease)
    with process(database_url, KILLED) as runner:
        assert heard(runner) == "in the middle"
        runner.kill()
        runner.wait()
        assert rows_of(store, "students") == OLD
        again = store.acquire(DISTRICT, wait_seconds=10)
        write(store, again, [delta("students", [row("students", "S3")])])
    assert rows_of(store, "students") == [*OLD, ("S3", "h1", True)]


def test_any_columns_can_be_streamed_in_order_of_the_key(store: Store) -> None:
    students = [
        row("students", key, grade=grade)
        for key, grade in (("b", "02"), ("B", ""), ("10", "01"), ("9", "KG"))
    ]
    write(store, saved(store), [delta("students", students)])
    stored = store.stored_columns(DISTRICT, "students", ("grade", "id"))
    assert [(grade, key, bool(active)) for grade, key, active in stored] == [
        ("01", "10", True),
        ("KG", "9", True),
        (None, "B", True),
        ("02", "b", True),
    ]


@pytest.mark.parametrize(
    ("entity", "columns"), [("students", ("password",)), ("schools", ("id",)), ("x", ())]
)
def test_columns_that_are_not_stored_cannot_be_streamed(
    store: Store, entity: str, columns: tuple[str, ...]
) -> None:
    with pytest.raises(StoreError, match="has no stored columns"):
        store.stored_columns(DISTRICT, entity, columns)


_KEYS = st.sampled_from(["S1", "S2", "S3", "s1", "é"])
_STEP = st.tuples(st.dictionaries(_KEYS, st.sampled_from(["h1", "h2"])), st.frozensets(_KEYS))
_DISTRICTS = count()


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(_STEP, min_size=1, max_size=4))
def test_any_course_of_deltas_ends_as_a_dictionary_would(
    store: Store, steps: list[tuple[dict[str, str], frozenset[str]]]
) -> None:
    district, expected = f"d{next(_DISTRICTS)}", dict[str, tuple[str, bool]]()
    lease = saved(store, district)
    for upserts, removals in steps:
        gone = removals - upserts.keys()
        rows = [row("students", key, row_hash=value) for key, value in upserts.items()]
        write(store, lease, [delta("students", rows, [(key,) for key in gone])])
        expected |= {key: (value, True) for key, value in upserts.items()}
        expected |= {key: (expected[key][0], False) for key in gone & expected.keys()}
    stored = rows_of(store, "students", district)
    assert stored == [(key, *expected[key]) for key in sorted(expected, key=str.encode)]


def _exported(store: Store) -> dict[str, list[dict[str, Any]]]:
    return {
        entity: list(store.export(entity)) for entity in ("students", "contacts", "relationships", "staff")
    }


def _times(url: str, student: str) -> tuple[Any, ...]:
    database = Database(url)
    with database.read() as connection:
        query = select(STUDENT.c.added_at, STUDENT.c.changed_at, STUDENT.c.removed_at)
        times = tuple(connection.execute(query.where(STUDENT.c.id == student)).one())
    database.close()
    return times
