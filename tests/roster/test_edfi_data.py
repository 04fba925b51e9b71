"""Ed-Fi samples, read a second time with Python's csv module alone: counts and values agree."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.roster.running import resolve

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def written(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("town", ["anytown", "someville"])
def test_the_students_of_the_example_templates(shared_data: Path, town: str) -> None:
    folder = shared_data / "edfi-earthmover/09_edfi/sources"
    files = (folder / f"students_{town}.csv", folder / "schools.csv")
    result = resolve("ed-fi", {file.name: file.read_bytes() for file in files})
    rows, schools = map(read, files)
    # An id that stands there twice is two children: neither is taken.
    times = {row["student_id"]: 0 for row in rows}
    for row in rows:
        times[row["student_id"]] += 1
    expected = sorted(
        (r["student_id"], r["school_id"], r["first_name"], r["last_name"], r["grade"])
        for r in rows
        if times[r["student_id"]] == 1
    )
    got = [tuple(s[f] for f in ("id", "school", "first_name", "last_name", "grade")) for s in result.students]
    assert sorted(got) == expected
    assert result.counts["students"].rejected == len(rows) - len(expected)
    assert {s["id"]: s["name"] for s in result.rows["schools"]} == {
        s["school_id"]: s["school_name"] for s in schools
    }


def test_students_and_contacts_of_grand_bend(shared_data: Path) -> None:
    """The sample has no enrollments: every student is put into one school here, by an association."""
    folder = shared_data / "edfi-grand-bend"
    students, contacts, links = (
        read(folder / name) for name in ("students.csv", "contacts.csv", "student_contacts.csv")
    )
    enrollments = [
        {"studentUniqueId": s["student_unique_id"], "schoolId": "255901001", "exitWithdrawDate": ""}
        for s in students
    ]
    files = {file.name: file.read_bytes() for file in folder.glob("*.csv")}
    result = resolve("ed-fi", files | {"studentSchoolAssociations.csv": written(enrollments)})
    assert not result.rejects
    assert {(s["id"], s["birth_date"]) for s in result.students} == {
        (s["student_unique_id"], s["birth_date"]) for s in students
    }
    assert {(c["id"], c["first_name"], c["last_name"], c["phone"]) for c in result.contacts} == {
        (c["contact_unique_id"], c["first_name"], c["last_name"], c["phone"] or None) for c in contacts
    }
    words = {"true": "yes", "false": "no"}
    assert {
        (r["student"], r["contact"], r["relationship"], r["emergency"]) for r in result.rows["relationships"]
    } == {
        (
            link["student_unique_id"],
            link["contact_unique_id"],
            link["relation"],
            words[link["emergency_contact"]],
        )
        for link in links
    }
    counts = {e: result.counts[e].added for e in ("students", "contacts", "relationships")}
    assert counts == {"students": 960, "contacts": 1873, "relationships": 1872}
    assert {r["may_pick_up"] for r in result.rows["relationships"]} == {"unknown"}
