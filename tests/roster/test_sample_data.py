"""Exports of real systems, read a second time with Python's csv module alone: counts and values agree."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.roster.running import Outcome, resolve

Row = dict[str, str]


def read(folder: Path, file: str) -> list[Row]:
    """The rows of a file, cells stripped; none where the file is not there."""
    path = folder / file
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [{k: (v or "").strip() for k, v in row.items() if k} for row in csv.DictReader(stream)]


def mapped(mapper: str, folder: Path) -> Outcome:
    result = resolve(mapper, {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()})
    assert not result.rejects
    return result


def plain(rows: list[dict[str, Any]], *fields: str) -> list[tuple[str, ...]]:
    return sorted(tuple(row[f] or "" for f in fields) for row in rows)


@pytest.mark.parametrize("district", ["CedarRidge_Data", "SummitHeights_Data"])
def test_clever(shared_data: Path, district: str) -> None:
    folder = shared_data / "clever-genai-district" / district
    result = mapped("clever", folder)
    schools = read(folder, "schools.csv")
    assert plain(result.rows["schools"], "id", "name") == sorted(
        (r["School_id"], r["School_name"]) for r in schools
    )
    students = read(folder, "students.csv")
    fields = (
        "id",
        "school",
        "first_name",
        "last_name",
        "grade",
        "birth_date",
        "gender",
        "email",
        "student_number",
    )
    assert plain(result.students, *fields) == sorted(
        (r["Student_id"], r["School_id"], r["First_name"], r["Last_name"], r["Grade"], r["DOB"], r["Gender"],
         r["Student_email"], r["Student_number"])
        for r in students
    )  # fmt: skip
    assert result.counts["students"].added == len({r["Student_id"] for r in students}) > 10
    expected = {
        r["Teacher_id"]: (r["School_id"], r["First_name"], r["Last_name"], r["Teacher_email"], r["Title"])
        for r in read(folder, "teachers.csv")
    }
    for r in read(folder, "staff.csv"):
        person = (r["School_id"], r["First_name"], r["Last_name"], r["Staff_email"], r["Title"])
        expected.setdefault(r["Staff_id"], person)
    assert plain(result.rows["staff"], "id", "school", "first_name", "last_name", "email", "role") == sorted(
        (key, *values) for key, values in expected.items()
    )
    assert result.contacts == result.rows["relationships"] == []


def test_school_data_sync(shared_data: Path) -> None:
    folder = shared_data / "ms-sds" / "SDS v2.1"
    result = mapped("microsoft-sds-2.1", folder)
    users = {r["sourcedId"]: r for r in read(folder, "users.csv")}
    born = {r["userSourcedId"]: r for r in read(folder, "demographics.csv")}
    roles = read(folder, "roles.csv")
    orgs = [r for r in read(folder, "orgs.csv") if r["type"] in ("school", "college")]
    assert plain(result.rows["schools"], "id", "name", "type") == sorted(
        (r["sourcedId"], r["name"], r["type"]) for r in orgs
    )

    def primary(user: str, *, student: bool) -> Row | None:
        own = [r for r in roles if r["userSourcedId"] == user and (r["role"] == "student") is student]
        return next((r for r in own if r["isPrimary"].lower() == "true"), own[0] if own else None)

    def name(user: str) -> tuple[str, str]:
        return users[user]["givenName"], users[user]["familyName"]

    students = {u: role for u in users if (role := primary(u, student=True))}
    assert plain(
        result.students, "id", "school", "grade", "first_name", "last_name", "birth_date", "gender", "email"
    ) == sorted(
        (u, r["orgSourcedId"], r["grade"], *name(u), born.get(u, {}).get("birthDate", ""),
         born.get(u, {}).get("sex", ""), users[u]["email"])
        for u, r in students.items()
    )  # fmt: skip
    staff = {u: role for u in users if (role := primary(u, student=False))}
    assert plain(result.rows["staff"], "id", "school", "role", "first_name", "last_name") == sorted(
        (u, r["orgSourcedId"], r["role"].lower(), *name(u)) for u, r in staff.items()
    )
    links = read(folder, "relationships.csv")
    assert plain(result.rows["relationships"], "student", "contact", "relationship", "may_pick_up") == sorted(
        (r["userSourcedId"], r["relationshipUserSourcedId"], r["relationshipRole"], "unknown") for r in links
    )
    assert {(r["id"], r["first_name"], r["last_name"], r["phone"], r["email"]) for r in result.contacts} == {
        (c, *name(c), users[c]["phone"], users[c]["email"])
        for c in (r["relationshipUserSourcedId"] for r in links)
    }
    assert len(links) == 3


SNAPSHOTS = ("", "Step1-UpdateCourse", "Step2-AddCourse", "Step3-DeleteCourse", "Step4-AddClass")


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_oneroster(shared_data: Path, snapshot: str) -> None:
    folder = shared_data / "oneroster11-snapshots" / "CSVSample" / snapshot
    result = mapped("oneroster-1.1", folder)
    users = [r for r in read(folder, "users.csv") if r["status"] == "active"]
    assert plain(result.rows["schools"], "id", "name", "type", "nces_id") == sorted(
        (r["sourcedId"], r["name"], r["type"], r["identifier"])
        for r in read(folder, "orgs.csv")
        if r["type"] == "school" and r["status"] == "active"
    )
    assert plain(
        result.students, "id", "school", "first_name", "middle_name", "last_name", "email", "status"
    ) == sorted(
        (
            r["sourcedId"],
            r["orgSourcedIds"],
            r["givenName"],
            r["middleName"],
            r["familyName"],
            r["email"],
            r["status"],
        )
        for r in users
        if r["role"] == "student"
    )
    assert len(result.students) == 4
    staff_roles = ("administrator", "aide", "proctor", "teacher")
    assert result.ids("staff") == sorted(r["sourcedId"] for r in users if r["role"] in staff_roles)
    assert result.contacts == []


def test_the_snapshots_of_one_district_follow_each_other_without_a_removal(shared_data: Path) -> None:
    stored: Any = None
    for snapshot in SNAPSHOTS[::2]:
        folder = shared_data / "oneroster11-snapshots" / "CSVSample" / snapshot
        files = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
        result = resolve("oneroster-1.1", files, before=stored)
        assert not any(result.removals.values())
        assert result.counts["students"].read == 4
        stored = result.stored()
