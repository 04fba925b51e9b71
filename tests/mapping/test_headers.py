"""What a header's columns are called in the mapper, and which files its patterns mean."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.mapping.check import findings
from reconciler.mapping.filenames import meant
from reconciler.mapping.headers import renamed
from reconciler.mapping.model import FileSpec
from reconciler.mapping.parse import parse_mapper
from tests.roster.running import resolve, simple_mapper

NAMES = (("Student_Number", ("Student ID", "ID")), ("School", ("SchoolID",)), ("Name", ()))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(
            ["Student_Number", "ID"], ["Student_Number", "ID"], id="its own name goes before all others"
        ),
        pytest.param(
            ["ID", "student id"], ["ID", "Student_Number"], id="of the others the first of the list"
        ),
        pytest.param(["STUDENT-NUMBER"], ["Student_Number"], id="case and punctuation do not count"),
        pytest.param(["school.id"], ["School"], id="nor do they in another name"),
        pytest.param(
            ["Schoolid", "School"], ["Schoolid", "School"], id="a name that is taken is not given again"
        ),
        pytest.param(
            ["Student ID", "Student_ID"], ["Student_Number"] * 2, id="twice is told later, not guessed"
        ),
        pytest.param(["Nickname", ""], ["Nickname", ""], id="the rest stays as it is"),
    ],
)
def test_a_column_is_read_under_the_mappers_name(header: list[str], expected: list[str]) -> None:
    assert list(renamed(header, NAMES)) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(
            ["Students.csv", "my_students.csv"], {"Students.csv"}, id="the first pattern that matches"
        ),
        pytest.param(["my_students.csv"], {"my_students.csv"}, id="then the next"),
        pytest.param(["student_contacts.csv"], set(), id="never what is excluded"),
        pytest.param(
            ["a_student.csv", "b_student.csv"], {"a_student.csv", "b_student.csv"}, id="all it matches"
        ),
    ],
)
def test_of_several_patterns_the_first_with_a_match_counts(names: list[str], expected: set[str]) -> None:
    spec = FileSpec("students", "", patterns=("students.*", "*student*"), excluded=("*contact*",))
    assert meant(spec, names) == expected


def mapper(**fields: Any) -> dict[str, Any]:
    document = simple_mapper(
        contacts={
            "from": "students",
            "where": {"column": ["contact", "guardian"], "not_empty": True},
            "fields": {"student": "id", "name": {"column": ["contact", "guardian"]}} | fields,
        }
    )
    document["files"]["students"]["columns"] = {"id": ["Student Number"], "guardian": ["Parent"]}
    return document


def test_a_condition_on_several_columns_tests_the_first_that_is_not_empty() -> None:
    file = "Student_Number,School,First,Last,Contact,PARENT\n1,S,A,B,,Bo Moe\n2,S,C,D,Al Poe,\n3,S,E,F,,\n"
    result = resolve(mapper(), {"students.csv": file})
    assert sorted((c["student"], c["name"]) for c in result.contacts) == [("1", "Bo Moe"), ("2", "Al Poe")]
    assert result.counts["contacts"].read == 2


def test_a_reject_names_the_column_as_the_file_does() -> None:
    file = "Student_Number,School,First,Last,Contact,Parent\n,S,A,B,,\n1,S,C,D,,\n"
    assert resolve(mapper(), {"students.csv": file}).rejected() == [
        ("students", 2, "row.required", "Student_Number")
    ]


def test_other_names_of_a_column_that_nothing_reads_are_a_mistake() -> None:
    document = mapper()
    document["files"]["students"]["columns"]["shcool"] = []
    (finding,) = findings(parse_mapper(document))
    assert finding.path == "files.students.columns"
    assert finding.hint == "did you mean 'school'?"
