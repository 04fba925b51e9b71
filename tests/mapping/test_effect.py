"""What a mapper's change does to a district's rows, told from the columns that its files had."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.mapping.effect import Kind, effects
from reconciler.mapping.files_known import KnownFiles
from reconciler.mapping.library import builtin, builtin_names
from reconciler.mapping.parse import parse_mapper

Document = dict[str, Any]
BASE: Document = {
    "files": {
        "students": {"pattern": "students*.csv"},
        "parents": {"pattern": "parents.csv", "columns": {"Phone": ["Tel", "Mobile"]}, "optional": True},
        "rooms": {"pattern": "rooms.csv"},
    },
    "entities": {
        "students": {
            "from": "students",
            "join": {"file": "rooms", "on": {"Number": "Student"}},
            "where": {"column": "Status", "in": ["A"]},
            "fields": {
                "id": "Number", "school": "School", "first_name": "First", "last_name": "Last",
                "grade": {"column": "Gr", "map": {"0": "KG", "1": "01"}}, "homeroom": "rooms.Room",
                "email": {"column": ["Mail", "E-Mail"], "optional": True},
            },
        },
        "contacts": {
            "from": "parents",
            "fields": {"student": "Student", "name": "Name", "phone": "Phone", "relationship": "Rel"},
        },
        "staff": {
            "from": "students", "optional": True,
            "fields": {"id": "Teacher", "first_name": "T1", "last_name": "T2"},
        },
    },
}  # fmt: skip
KNOWN = KnownFiles(
    ("students_2026.csv", "parents.csv", "rooms.csv"),
    {
        "students": ("Number", "State ID", "School", "First", "Last", "Gr", "Status", "Mail", "HR", "HR"),
        "parents": ("Student", "Name", "Phone", "Rel", "Key"),
        "rooms": ("Student", "Room", "Hall"),
    },
    {"students": ("utf-8", "comma-delimited"), "parents": ("cp1252", "pipe-delimited")},
)


def changed(change: Callable[[Document], Any]) -> Document:
    document = copy.deepcopy(BASE)
    change(document)
    return document


def said(change: Callable[[Document], Any]) -> list[str]:
    found = effects(parse_mapper(BASE), parse_mapper(changed(change)), KNOWN)
    return [f"{e.kind}: {e.message}" for e in found]


def students(**fields: Any) -> Callable[[Document], Any]:
    return lambda d: d["entities"]["students"]["fields"].update(fields)


def contacts(**fields: Any) -> Callable[[Document], Any]:
    return lambda d: d["entities"]["contacts"]["fields"].update(fields)


def source(**keys: Any) -> Callable[[Document], Any]:
    return lambda d: d["entities"]["students"].update(keys)


def file(name: str, **keys: Any) -> Callable[[Document], Any]:
    return lambda d: d["files"].setdefault(name, {}).update(keys)


NOTHING: dict[str, Callable[[Document], Any]] = {
    "no change": lambda _: None,
    "another description": lambda d: d.update(description="x", name="y"),
    "another spelling of a column": students(id=" number "),
    "a further column that is not there": students(id={"column": ["Number", "No"]}),
    "one of two columns that was not there": students(email="Mail"),
    "the order of a map": students(grade={"column": "Gr", "map": {"1": "01", "0": "KG"}}),
    "a pattern that means the same file": file("students", pattern="students_2026.csv"),
    "an encoding that was detected": file("parents", encoding="windows-1252"),
    "a delimiter that was detected": file("parents", delimiter="|"),
    "further names of a column": file("parents", columns={"Phone": ["Tel", "Mobile", "Cell"]}),
    "other names of the mapper's for its files": lambda d: (
        d["files"].update(people=d["files"].pop("parents")),
        d["entities"]["contacts"].update({"from": "people"}),
    ),
    "another alias of a joined file": lambda d: (
        d["entities"]["students"]["join"].update({"as": "r"}),
        d["entities"]["students"]["fields"].update(homeroom="r.Room"),
    ),
    "a new field of which no column is there": students(photo={"column": "Photo", "optional": True}),
    "a source that cannot be read anyway": lambda d: d["entities"]["staff"]["fields"].update(email="TMail"),
}  # fmt: skip


@pytest.mark.parametrize("change", NOTHING.values(), ids=NOTHING)
def test_what_reads_the_same_columns_in_the_same_way_changes_nothing(
    change: Callable[[Document], Any],
) -> None:
    assert said(change) == []


CHANGES: dict[str, tuple[Callable[[Document], Any], list[str]]] = {
    "another id": (students(id="State ID"), ["re-keys: students.id: 'Number' → 'State ID'"]),
    "an id with another first column": (
        students(id={"column": ["State ID", "Number"]}),
        ["re-keys: students.id: 'Number' → 'State ID' or 'Number'"],
    ),
    "an id made otherwise": (
        students(id={"column": "Number", "transform": ["digits"]}),
        ["re-keys: students.id: 'Number' → 'Number', digits"],
    ),
    "the student of a contact": (
        contacts(student="Key"), ["re-keys: contacts.student: 'Student' → 'Key'"]
    ),
    "what a contact's made id is made from": (
        contacts(phone="Key"), ["re-keys: contacts.phone: 'Phone' → 'Key'"]
    ),
    "an id for contacts who had none": (contacts(id="Key"), ["re-keys: contacts.id: not read → 'Key'"]),
    "something else about a contact": (
        contacts(relationship="Key"), ["alters: contacts.relationship: 'Rel' → 'Key'"]
    ),
    "another school": (students(school="HR2"), [
        "fails: students_2026.csv has no column 'HR2', which entities.students.fields.school reads"
    ]),
    "a school that is there": (
        students(school="State ID"), ["may take away: students.school: 'School' → 'State ID'"]
    ),
    "a column that is not there": (students(grade="Grade"), [
        "fails: students_2026.csv has no column 'Grade', which entities.students.fields.grade reads"
    ]),
    "an optional column that is not there": (
        students(grade={"column": "Grade", "optional": True}),
        ["alters: students.grade: 'Gr', map of 2 → 'Grade' (none of its columns is there)"],
    ),
    "a column that is there twice": (students(photo="HR"), [
        "fails: students_2026.csv has the column 'HR' 2 times",
    ]),
    "a new field": (students(gender="HR3"), [
        "fails: students_2026.csv has no column 'HR3', which entities.students.fields.gender reads"
    ]),
    "a new field that is there": (
        students(middle_name="State ID"), ["alters: students.middle_name: not read → 'State ID'"]
    ),
    "a field that is dropped": (
        lambda d: d["entities"]["students"]["fields"].pop("grade"),
        ["alters: students.grade: 'Gr', map of 2 → not read"],
    ),
    "another value of a map": (
        students(grade={"column": "Gr", "map": {"0": "K", "1": "01"}}),
        ["alters: students.grade: 'Gr', map of 2, from other columns or rows than before"],
    ),
    "a field that is required": (
        students(homeroom={"column": "rooms.Room", "required": True}),
        ["alters: students.homeroom: 'rooms.Room' → 'rooms.Room', required"],
    ),
    "a joined column": (students(homeroom="rooms.Hall"),
                        ["alters: students.homeroom: 'rooms.Room' → 'rooms.Hall'"]),
    "other rows": (
        source(where={"column": "Status", "in": ["A", "E"]}),
        ["may take away: students: other rows are taken: 'Status' in 'A' → 'Status' in 'A' 'E'"],
    ),
    "rows that are joined otherwise": (
        source(join={"file": "rooms", "on": {"Number": "Student"}, "take": "first"}),
        ["may take away: students: other rows are joined (`join`)",
         "alters: students.homeroom: 'rooms.Room', from other columns or rows than before"],
    ),
    "equal rows folded": (
        source(distinct=True), ["alters: students: equal rows are folded otherwise (`distinct`)"]
    ),
    "an entity that is dropped": (
        lambda d: d["entities"].pop("contacts"),
        ["takes away: contacts: no longer read from parents (entities.contacts)"],
    ),
    "an entity that is new": (
        lambda d: d["entities"].update(schools={"from": "rooms", "fields": {"id": "Hall"}}),
        ["alters: schools: also read from rooms (entities.schools)"],
    ),
    "a pattern that means no file": (file("rooms", pattern="halls.csv"), [
        "fails: halls.csv matches no file of the last sync: rooms.csv is no longer read",
        "may take away: students: other rows are joined (`join`)",
        "alters: students.homeroom: 'rooms.Room' (none of its columns is there)",
    ]),
    "a pattern of an optional file that means none": (file("parents", pattern="adults.csv"), [
        "may take away: contacts: no longer read from parents (entities.contacts)",
        "alters: adults.csv matches no file of the last sync: parents.csv is no longer read",
    ]),
    "another file": (file("students", pattern="rooms.csv"), [
        "fails: rooms.csv has none of the columns that are read of it",
        "fails: rooms.csv has no column 'Number', which entities.students.join reads",
    ]),
    "another delimiter": (file("students", delimiter=";"), [
        "fails: students_2026.csv was comma-delimited at the last sync, and is to be semicolon-delimited",
        "alters: students: students_2026.csv is read otherwise (encoding, delimiter, `empty` or `several`)",
    ]),
    "another encoding": (file("students", encoding="cp1252"), [
        "alters: students: students_2026.csv is read otherwise (encoding, delimiter, `empty` or `several`)",
    ]),
    "words for nothing": (file("parents", empty=["-"]), [
        "alters: contacts: parents.csv is read otherwise (encoding, delimiter, `empty` or `several`)",
    ]),
    "a file that nobody has read": (
        lambda d: (d["files"].update(x={"pattern": "x.csv"}),
                   d["entities"].update(schools={"from": "x", "fields": {"id": "Id"}})),
        ["alters: schools: also read from x (entities.schools)",
         "cannot be told: x.csv was not read at the last sync: nobody knows if it is there"],
    ),
    "a name of a column that is given up": (file("parents", columns={"Phone": ["Mobile"]}), [
        "cannot be told: parents.csv may call 'Phone' by a name that is given up",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_told_with_what_it_does(change: Callable[[Document], Any], expected: list[str]) -> None:
    assert said(change) == expected


def test_without_the_version_that_was_applied_only_what_fails_is_told() -> None:
    document = changed(students(id="State ID", grade="Grade"))
    (found,) = effects(None, parse_mapper(document), KNOWN)
    assert (found.kind, found.code, found.entity) == (Kind.FAILS, "mapper.column", "students")
    assert "did you mean" in found.hint or "has:" in found.hint


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_mapper_is_like_itself(name: str) -> None:
    mapper = builtin(name).mapper
    assert mapper is not None
    columns = {n: tuple(f"column {n}" for n in range(3)) for n in mapper.files}
    names = tuple(s.patterns[0].replace("*", "x") for s in mapper.files.values())
    found = effects(mapper, mapper, KnownFiles(names, columns))
    assert [e for e in found if e.kind not in (Kind.FAILS, Kind.UNSURE)] == []
