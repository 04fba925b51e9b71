"""Names other than the mapper's: which are read, and what is told of them."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import MapperError
from tests.roster.running import Outcome, make_mapper, open_roster, resolve, simple_mapper

ROW = "1,0042,Ada,Ash\n"


def mapper(standard: str = "", **file: Any) -> dict[str, Any]:
    """A mapper of students whose last name may be called surname, or family name."""
    document = simple_mapper()
    document["files"]["students"] |= {"columns": {"last": ["surname", "family name"]}} | file
    return document | ({"standard": standard} if standard else {})


def read(header: str, row: str = ROW, name: str = "students.csv", **more: Any) -> Outcome:
    return resolve(mapper(**more), {name: f"{header}\n{row}"})


@pytest.mark.parametrize(
    ("header", "row", "last", "notices"),
    [
        pytest.param("id,school,first,last", ROW, "Ash", [], id="the standard's name"),
        pytest.param("id,school,first,surname", ROW, "Ash", ["students.csv: 'surname' is read for last"],
                     id="another name"),
        pytest.param("id,school,first,Family Name", ROW, "Ash",
                     ["students.csv: 'Family Name' is read for last"], id="another name in another case"),
        pytest.param("id,school,first,family name,surname", "1,0042,Ada,Old,Ash\n", "Ash",
                     ["students.csv: 'surname' is read for last"], id="the first of two other names"),
        pytest.param("id,school,first,surname,last", "1,0042,Ada,Old,Ash\n", "Ash", [],
                     id="the standard's name goes before others, wherever it stands"),
        pytest.param("last,extra,first,school,id,,", "Ash,x,Ada,0042,1,,\n", "Ash", [],
                     id="columns in another order, more of them, and blank headers at the end"),
    ],
)  # fmt: skip
def test_a_column_is_read_under_its_other_names(header: str, row: str, last: str, notices: list[str]) -> None:
    result = read(header, row, standard="Acme")
    assert [(s["id"], s["last_name"]) for s in result.students] == [("1", last)]
    assert list(result.notices) == notices


def test_no_name_at_all_is_an_error_that_names_the_column() -> None:
    with pytest.raises(MapperError, match="has no column 'last'") as raised:
        read("id,school,first,name")
    assert raised.value.code == "mapper.column"


@pytest.mark.parametrize(
    ("header", "name", "more", "notice"),
    [
        pytest.param("ID,School,FIRST,Last", "students.csv", {},
                     "students.csv writes names in another case: 'FIRST' for first, 'ID' for id, "
                     "'Last' for last and 1 more", id="columns in another case, a few of them named"),
        pytest.param("id,school,first,last", "Students.CSV", {}, "Students.CSV is read for students.csv",
                     id="a file in another case"),
        pytest.param("id,school,first,last", "students.csv", {"blank": ["school"]},
                     "students.csv: school is filled in 1 of 1 rows, which Acme leaves empty",
                     id="a column that should be empty"),
    ],
)  # fmt: skip
def test_a_mapper_of_a_standard_tells_more(header: str, name: str, more: dict[str, Any], notice: str) -> None:
    assert read(header, name=name, standard="Acme", **more).notices == (notice,)
    assert read(header, name=name, **more).notices == ()


def test_where_there_is_no_standard_one_name_is_as_good_as_another() -> None:
    assert read("ID,school,first,surname", name="Students.CSV", blank=["school"]).notices == ()


def test_nothing_is_told_of_what_is_as_the_standard_has_it() -> None:
    assert read("id,school,first,last", standard="Acme", blank=["status"]).notices == ()


def test_a_reject_names_the_column_as_the_file_does() -> None:
    assert read("id,school,first,surname", "1,0042,Ada,\n").rejected() == [
        ("students", 2, "row.required", "surname")
    ]


@pytest.mark.parametrize(
    ("before", "now"), [("surname", "last"), ("last", "surname"), ("surname", "family name")]
)
def test_a_column_that_changes_its_name_is_not_lost(before: str, now: str) -> None:
    known = {"students": ("id", "school", "first", before)}
    text = f"id,school,first,{now}\n{ROW}"
    with open_roster(make_mapper(mapper()), {"students.csv": text}, known_columns=known) as roster:
        roster.resolve(None)
        assert [row["last_name"] for row in roster.rows("students")] == ["Ash"]


def test_a_joined_file_is_looked_up_by_another_name_of_its_key() -> None:
    document = mapper()
    document["files"]["extra"]["columns"] = {"student": ["pupil"]}
    document["standard"] = "Acme"
    students = document["entities"]["students"]
    students["join"] = {"file": "extra", "on": {"id": "student"}, "take": "first"}
    students["fields"]["homeroom"] = "extra.room"
    files = {"students.csv": f"id,school,first,last\n{ROW}", "extra.csv": "room,pupil\nB2,1\n"}
    result = resolve(document, files)
    assert [s["homeroom"] for s in result.students] == ["B2"]
    assert result.notices == ("extra.csv: 'pupil' is read for student",)


@pytest.mark.parametrize(
    ("declared", "notices"),
    [
        ({}, ("students.csv is read as cp1252", "students.csv is delimited by semicolon")),
        ({"encoding": "cp1252"}, ("students.csv is delimited by semicolon",)),
        ({"delimiter": ";"}, ("students.csv is read as cp1252",)),
        ({"encoding": "cp1252", "delimiter": ";"}, ()),
    ],
    ids=["nothing", "the encoding", "the delimiter", "both"],
)
def test_what_the_mapper_declares_is_not_told(declared: dict[str, str], notices: tuple[str, ...]) -> None:
    text = "id;school;first;last\n1;0042;Zoë;Ash\n".encode("cp1252")
    result = resolve(mapper(**declared), {"students.csv": text})
    assert [s["first_name"] for s in result.students] == ["Zoë"]
    assert result.notices == notices
