"""What the demo's districts upload: the same invented families in four layouts of files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from reconciler.demo.families import Contact, School, Student, invent

Row = tuple[str, ...]
Files = dict[str, bytes]
"""File name to content."""

RIVERBEND = (
    School("0042", "Lincoln Elementary", (0, 5), 18),
    School("0043", "Riverbend Middle School", (6, 8), 10),
    School("9999", "Summer Programs", (1, 8), 2),
)
CEDAR_HILL = (
    School("7", "Cedar Hill Elementary", (0, 5), 14),
    School("11", "Cedar Hill High School", (9, 12), 16),
)
LAKESIDE = (
    School("0301", "Lakeside Elementary", (0, 5), 26),
    School("0302", "El Camino Middle School", (6, 8), 20),
    School("0305", "Harbor View Elementary", (0, 5), 14),
    School("0304", "Lakeside High School", (9, 12), 24),
)
MAPLE_GROVE = (
    School("001", "Maple Grove North", (0, 5), 12),
    School("002", "Maple Grove South", (6, 8), 8),
)


def first_exports() -> dict[str, Files]:
    """Every district's files on the first day, by district."""
    return {
        "riverbend-isd": riverbend(),
        "cedar-hill-isd": cedar_hill(),
        "lakeside-usd": lakeside(),
        "maple-grove-schools": maple_grove(),
    }


def riverbend(*, next_day: bool = False) -> Files:
    """OneRoster 1.1. On the next day a child has left, another has come, and a mother has a new number."""
    students = invent(RIVERBEND, seed=0)
    if next_day:
        students = [*students[:4], *students[5:], _newcomer(students[-3])]
    parents = {c.id: c for s in students for c in s.contacts}
    orgs = [(s.id, "", s.name, "school", "", "0001") for s in RIVERBEND]
    return {
        "orgs.csv": _csv(
            ("sourcedId", "status", "name", "type", "identifier", "parentSourcedId"),
            [("0001", "", "Riverbend ISD", "district", "", ""), *orgs],
        ),
        "users.csv": _csv(
            ("sourcedId", "status", "enabledUser", "orgSourcedIds", "role", "username", "givenName",
             "familyName", "email", "phone", "agentSourcedIds", "grades"),
            [*_oneroster_staff(), *map(_oneroster_student, students),
             *(_oneroster_parent(c, moved=next_day and c == students[0].contacts[0])
               for c in parents.values())],
        ),
        "demographics.csv": _csv(
            ("sourcedId", "status", "birthDate", "sex"),
            ((s.id, "", s.birth_date, "female" if s.gender == "F" else "male") for s in students),
        ),
    }  # fmt: skip


def _newcomer(neighbour: Student) -> Student:
    mother = Contact("G90011", "Linh", "Nguyễn", "mother", "202-555-0190", "linh@home.example")
    return Student("0901", neighbour.school, "Bảo", "Nguyễn", "M", 7, "2013-03-09", (mother,))


def _oneroster_staff() -> Iterator[Row]:
    yield (
        "T01",
        "",
        "true",
        "0042",
        "teacher",
        "t01",
        "Marta",
        "Hill",
        "t01@staff.example",
        "",
        "",
        "",
    )
    yield ("T02", "", "true", "0043", "teacher", "t02", "Ben", "Ray", "t02@staff.example", "", "", "")


def _oneroster_student(s: Student) -> Row:
    agents = ",".join(c.id for c in s.contacts)
    grade = "KG" if s.grade == 0 else f"{s.grade:02d}"
    return (s.id, "", "true", s.school, "student", s.id, s.first, s.last, s.email, "", agents, grade)


def _oneroster_parent(c: Contact, *, moved: bool) -> Row:
    phone = "202-555-0199" if moved else c.phone
    return (c.id, "", "true", "0001", "parent", c.id, c.first, c.last, c.email, phone, "", "")


def cedar_hill(*, cut: bool = False) -> Files:
    """Clever: a student stands in students.csv once for each contact. Cut: the high school's are missing."""
    students = [s for s in invent(CEDAR_HILL, seed=300) if not cut or s.school != "11"]
    return {
        "schools.csv": _csv(("School_id", "School_name"), ((s.id, s.name) for s in CEDAR_HILL)),
        "students.csv": _csv(
            ("School_id", "Student_id", "Last_name", "First_name", "Grade", "Gender", "DOB", "Student_email",
             "Contact_relationship", "Contact_type", "Contact_name", "Contact_phone", "Contact_email"),
            (_clever_row(s, c) for s in students for c in s.contacts),
        ),
        "teachers.csv": _csv(
            ("School_id", "Teacher_id", "Teacher_email", "First_name", "Last_name", "Title"),
            [("7", "51", "t51@staff.example", "Irene", "Bloom", "Grade 2"),
             ("11", "52", "t52@staff.example", "Owen", "Hart", "Biology")],
        ),
    }  # fmt: skip


def _clever_row(s: Student, c: Contact) -> Row:
    year, month, day = s.birth_date.split("-")
    grade = "Kindergarten" if s.grade == 0 else str(s.grade)
    own = (s.school, s.id, s.last, s.first, grade, s.gender, f"{month}/{day}/{year}", s.email)
    return (*own, c.relationship.title(), "Primary", f"{c.first} {c.last}", c.phone, c.email)


def lakeside() -> Files:
    """Our own headers, with three bad rows in students.csv."""
    students = invent(LAKESIDE, seed=500)
    rows: list[Row] = [
        (s.id, s.school, s.first, s.last, str(s.grade), s.birth_date, "enrolled") for s in students
    ]
    rows.insert(9, ("0701", "0301", "Petra", "", "2", "2018-05-04", "enrolled"))  # no last name
    rows.insert(21, ("0702", "0301", "Emil", "Stone", "4"))  # two cells are missing
    rows[30] = (*rows[30][:5], "30.02.2012", rows[30][6])  # no such date: taken without it
    return {
        "schools.csv": _csv(("id", "name"), ((s.id, s.name) for s in LAKESIDE)),
        "students.csv": _csv(
            ("id", "school", "first_name", "last_name", "grade", "birth_date", "status"), rows
        ),
        "contacts.csv": _csv(
            ("id", "student", "first_name", "last_name", "relationship", "phone", "email", "priority",
             "may_pick_up", "custody_alert"),
            ((c.id, s.id, c.first, c.last, c.relationship, c.phone, c.email, str(n), c.may_pick_up,
              c.custody_alert) for s in students for n, c in enumerate(s.contacts, 1)),
        ),
    }  # fmt: skip


def maple_grove() -> Files:
    """A wide file a night with two contacts beside each student; the older night's file is passed over."""
    students = invent(MAPLE_GROVE, seed=700)
    header = ["Student Number", "School", "School Name", "Status", "First", "Last", "Gr", "DOB"]
    for n in "12":
        header += [f"Contact{n} {what}" for what in ("Name", "Rel", "Phone", "Pickup")]
    names = {s.id: s.name for s in MAPLE_GROVE}
    rows = [_wide(s, names[s.school], "I" if s.id == "0706" else "A") for s in students]
    night = _csv(header, rows, delimiter=";", encoding="cp1252")
    older = _csv(header, rows[:-1], delimiter=";", encoding="cp1252")
    return {"students_20260831.csv": older, "students_20260901.csv": night}


def _wide(s: Student, school: str, status: str) -> Row:
    year, month, day = s.birth_date.split("-")
    own = (
        s.id,
        s.school,
        school,
        status,
        s.first.upper(),
        s.last.upper(),
        str(s.grade),
        f"{month}/{day}/{year}",
    )
    cells: list[str] = []
    for c in s.contacts:
        cells += [f"{c.last}, {c.first}", c.relationship.upper(), c.phone, c.may_pick_up[0].upper()]
    return (*own, *cells, *[""] * (8 - len(cells)))


def _csv(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
