"""Sources that stand in for one another, by the columns and the files that are there."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import MapperError
from tests.roster.running import resolve, simple_mapper

STUDENTS = "id,school,first,last,mother\n1,S,Ann,Ash,Eve Ash\n2,S,Bo,Birch,\n"


def mapper() -> dict[str, Any]:
    document = simple_mapper()
    plain = document["entities"]["students"]
    whole = {"id": "id", "school": "school"} | {
        field: {"column": ["first", "whole name"], "split": ",", "item": item}
        for field, item in (("first_name", "last"), ("last_name", "first"))
    }
    mother = {"student": "id", "name": "mother", "relationship": {"const": "Mother"}}
    document["entities"] |= {
        "students": [
            plain | {"optional": True},
            {"from": "students", "instead": True, "fields": whole},
        ],
        "contacts": [
            {"from": "extra", "fields": {"student": "student", "name": "name"}},
            {
                "from": "students",
                "unless": "extra",
                "optional": True,
                "where": {"column": "mother", "not_empty": True},
                "fields": mother,
            },
        ],
    }
    return document


def names(file: str) -> list[tuple[str, str]]:
    rows = resolve(mapper(), {"students.csv": file}).students
    return sorted((row["first_name"], row["last_name"]) for row in rows)


def test_a_source_is_read_instead_of_one_whose_columns_are_not_there() -> None:
    assert names(STUDENTS) == [("Ann", "Ash"), ("Bo", "Birch")]
    assert names('id,school,whole name\n1,S,"Ash, Ann Lee"\n') == [("Ann Lee", "Ash")]


def test_no_row_is_read_twice_where_both_could_be() -> None:
    result = resolve(mapper(), {"students.csv": 'id,school,first,last,whole name\n1,S,Ann,Ash,"Ash, Ann"\n'})
    assert (result.counts["students"].read, result.counts["students"].added) == (1, 1)


def test_where_no_source_can_be_read_the_first_one_says_what_it_needs() -> None:
    with pytest.raises(
        MapperError, match=r"no column 'first', which entities.students\[0\].fields.first_name reads"
    ):
        resolve(mapper(), {"students.csv": "id,school,nickname\n1,S,Annie\n"})


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        pytest.param({}, [("1", "Eve Ash", "Mother")], id="the students' own columns"),
        pytest.param({"extra.csv": "student,name\n1,Eve Ash\n"}, [("1", "Eve Ash", "")], id="the file alone"),
    ],
)
def test_a_source_stands_aside_for_a_file_that_is_there(
    extra: dict[str, str], expected: list[tuple[str, ...]]
) -> None:
    rows = resolve(mapper(), {"students.csv": STUDENTS} | extra).contacts
    assert [(r["student"], r["name"], r["relationship"] or "") for r in rows] == expected


def test_the_last_item_of_a_list_may_be_its_first() -> None:
    assert names("id,school,whole name\n1,S,Prince\n") == [("Prince", "Prince")]


def test_a_second_phone_that_is_the_first_one_again_is_none() -> None:
    phones = {"phone": {"column": ["cell", "home"]}, "phone_2": "home"}
    contacts = {"from": "students", "fields": {"student": "id", "name": "first"} | phones}
    file = "id,school,first,last,cell,home\n1,S,Ann,Ash,,555-0100\n2,S,Bo,Birch,555-0101,555-0102\n"
    rows = resolve(simple_mapper(contacts=contacts), {"students.csv": file}).contacts
    assert [(r["phone"], r["phone_2"]) for r in sorted(rows, key=lambda r: r["student"])] == [
        ("555-0100", None),
        ("555-0101", "555-0102"),
    ]
