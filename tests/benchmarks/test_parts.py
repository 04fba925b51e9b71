"""The generated district, the floors and the table."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.district import CONTACT, STUDENT, write_district
from benchmarks.floors import Floor
from benchmarks.measured import Measured, table
from benchmarks.one_sync import sync_files
from reconciler.store import Store

STUDENTS = 320
TABLES = ("student", "contact", "relationship")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stored(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row but for its times, by table."""
    with closing(sqlite3.connect(path)) as connection:
        found = {}
        for name in TABLES:
            listed = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            columns = ", ".join(c for c in listed if not c.endswith("_at"))
            found[name] = connection.execute(f"SELECT {columns} FROM {name} ORDER BY 1, 2, 3").fetchall()
        return found


def migrated(path: Path) -> Store:
    store = Store(f"sqlite:///{path}")
    store.migrate()
    return store


def test_a_student_has_twenty_columns_and_two_contacts(tmp_path: Path) -> None:
    write_district(tmp_path, STUDENTS)
    students, contacts = rows_of(tmp_path / "students.csv"), rows_of(tmp_path / "contacts.csv")
    assert len(STUDENT) == 20
    assert len(students) == STUDENTS
    assert tuple(contacts[0]) == CONTACT
    assert Counter(c["student"] for c in contacts) == {s["id"]: 2 for s in students}


def test_families_have_one_two_or_three_children(tmp_path: Path) -> None:
    write_district(tmp_path, STUDENTS)
    contacts = rows_of(tmp_path / "contacts.csv")
    children = Counter(c["phone"] for c in contacts if c["priority"] == "1")
    assert Counter(children.values()) == {1: 110, 2: 60, 3: 30}


def test_phones_are_written_in_each_of_the_usual_ways(tmp_path: Path) -> None:
    write_district(tmp_path, STUDENTS)
    phones = {c["phone"] for c in rows_of(tmp_path / "contacts.csv")}
    assert {"".join("9" if c.isdigit() else c for c in phone) for phone in phones} == {
        "999-999-9999", "(999) 999-9999", "9999999999",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), [("students.csv", 4), ("contacts.csv", 8)])
def test_one_percent_changed_is_one_percent_of_each_file(tmp_path: Path, name: str, expected: int) -> None:
    write_district(tmp_path / "before", STUDENTS)
    write_district(tmp_path / "after", STUDENTS, changed_percent=1)
    before, after = rows_of(tmp_path / "before" / name), rows_of(tmp_path / "after" / name)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == expected


def test_the_floor_writes_the_rows_that_a_sync_writes(tmp_path: Path) -> None:
    write_district(tmp_path / "data", STUDENTS)
    with migrated(tmp_path / "ours.db") as store:
        sync_files(store, tmp_path / "data")
    migrated(tmp_path / "floor.db").close()
    with Floor(tmp_path / "data") as floor:
        floor.executemany(tmp_path / "floor.db")
    ours = stored(tmp_path / "ours.db")
    assert {name: len(rows) for name, rows in ours.items()} == {
        "student": STUDENTS, "contact": 400, "relationship": 2 * STUDENTS,
    }  # fmt: skip
    assert stored(tmp_path / "floor.db") == ours


@pytest.mark.parametrize(
    ("measured", "reached"),
    [
        pytest.param(Measured("", 1.0, 1.0), None, id="no goal"),
        pytest.param(Measured("", 3.0, 2.0, 1.5), True, id="a ratio at its most"),
        pytest.param(Measured("", 3.1, 2.0, 1.5), False, id="a ratio above it"),
        pytest.param(Measured("", 2.0, 1.0, 0.9, more_is_better=True), True, id="more is better"),
        pytest.param(Measured("", 0.8, 1.0, 0.9, more_is_better=True), False, id="and less is not"),
        pytest.param(Measured("", 600.0, None, 600.0), True, id="without a floor: the value"),
        pytest.param(Measured("", 601.0, None, 600.0), False, id="and above it"),
    ],
)
def test_a_goal_bounds_the_ratio_or_else_the_value(measured: Measured, reached: bool | None) -> None:
    assert measured.reached is reached


def test_a_part_that_failed_has_not_reached_its_goal() -> None:
    failed = Measured("", float("nan"), goal=0)
    assert failed.reached is False
    assert failed.as_json()["value"] is None


def test_a_goal_that_is_not_reached_stands_out_in_the_table() -> None:
    shown = table([Measured("first sync", 6.0, 2.0, 2.0, note="a note"), Measured("again", 1.0)])
    _, first, again = shown.splitlines()
    assert first.split() == ["first", "sync", "6.00", "s", "2.00", "3.00", "≤", "2", "NO", "a", "note"]
    assert again.split() == ["again", "1.00", "s"]
