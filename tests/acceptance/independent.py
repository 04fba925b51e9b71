"""A second reading of the sample layouts with Python's csv module. Shares no code with the product."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path


def read(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a file; an empty list where it is not there."""
    path = folder / name
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


Expected = dict[str, set[tuple[str, ...]]]
"""Entity to tuples: students (id, SIS school, first, last), contacts (id,), relationships by both ids."""


def clever(folder: Path) -> Expected:
    """Clever: one row a student in these samples, which have no contacts."""
    rows = read(folder, "students.csv")
    students = {(r["Student_id"], r["School_id"], r["First_name"], r["Last_name"]) for r in rows}
    staff = {(r["Teacher_id"],) for r in read(folder, "teachers.csv")}
    staff |= {(r["Staff_id"],) for r in read(folder, "staff.csv")}
    return {"students": students, "contacts": set(), "relationships": set(), "staff": staff}


def sds(folder: Path) -> Expected:
    """SDS 2.1: roles say who is a student and where; relationships name the contacts."""
    users = {r["sourcedId"]: r for r in read(folder, "users.csv")}
    students, staff = set(), set()
    for role in read(folder, "roles.csv"):
        user = users[role["userSourcedId"]]
        if role["role"] == "student":
            students.add((user["sourcedId"], role["orgSourcedId"], user["givenName"], user["familyName"]))
        else:
            staff.add((user["sourcedId"],))
    links = {(r["userSourcedId"], r["relationshipUserSourcedId"]) for r in read(folder, "relationships.csv")}
    return {
        "students": students,
        "contacts": {(c,) for _, c in links},
        "relationships": links,
        "staff": staff,
    }


def oneroster(folder: Path) -> Expected:
    """OneRoster 1.1: the users with the role student; these samples have no guardians."""
    live = [r for r in read(folder, "users.csv") if r["status"] == "active"]
    students = {
        (r["sourcedId"], r["orgSourcedIds"].split(",")[0], r["givenName"], r["familyName"])
        for r in live
        if r["role"] == "student"
    }
    staff = {(r["sourcedId"],) for r in live if r["role"] in ("teacher", "administrator", "aide", "proctor")}
    return {"students": students, "contacts": set(), "relationships": set(), "staff": staff}


def sds_1(folder: Path) -> Expected:
    """SDS 1: one file for each kind; these samples have no guardians."""
    rows = read(folder, "Student.csv")
    students = {(r["SIS ID"], r["School SIS ID"], r["First Name"], r["Last Name"]) for r in rows}
    staff = {(r["SIS ID"],) for r in read(folder, "Teacher.csv")}
    return {"students": students, "contacts": set(), "relationships": set(), "staff": staff}


READERS: dict[str, Callable[[Path], Expected]] = {
    "clever": clever,
    "microsoft-sds-1": sds_1,
    "microsoft-sds-2.1": sds,
    "oneroster-1.1": oneroster,
}
