"""The tests that mappers carry: every built-in has some and they hold; what fails is told to the field."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from reconciler.mapping.library import builtin, builtin_names
from reconciler.mapping.parse import parse_mapper
from reconciler.roster.mapper_tests import run_carried_tests
from tests.roster.running import make_mapper, simple_mapper

STUDENTS = ["id,school,first,last,mother", "1,0042,Ada,Ash,Gail Ash", "2,0042,,Birch,"]
CONTACTS = {
    "from": "students",
    "where": {"column": "mother", "not_empty": True},
    "fields": {"student": "id", "name": "mother", "relationship": {"const": "mother"}},
}
ADA = {"id": "1", "school": "0042", "first_name": "Ada", "last_name": "Ash"}
GAIL = {
    "student": "1", "first_name": "Gail", "last_name": "Ash", "name": "Gail Ash", "relationship": "mother",
}  # fmt: skip


def failures(**test: Any) -> list[tuple[str, str]]:
    """Path and message of each failure of one test, over a mapper for STUDENTS."""
    whole = {"name": "it holds", "files": {"students.csv": STUDENTS}, "expect": {}} | test
    document = simple_mapper(contacts=CONTACTS) | {"tests": [whole]}
    found = run_carried_tests(make_mapper(document))
    return [(".".join(map(str, f.path)), f.message.removeprefix("it holds: ")) for f in found]


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_mapper_carries_tests_and_they_hold(name: str) -> None:
    mapper = builtin(name).mapper
    assert mapper
    assert mapper.tests
    about_children = {"students", "contacts", "relationships"} & mapper.entities.keys()
    assert {e for t in mapper.tests for e in t.expect} >= about_children
    assert run_carried_tests(mapper) == []


@pytest.mark.parametrize(
    "test",
    [
        pytest.param({"expect": {"students": [ADA]}, "rejected": {"students": 1}}, id="rows and rejects"),
        pytest.param({"expect": {"students": [ADA | {"grade": ""}]}, "rejected": {"students": 1}},
                     id="an empty field may be named"),
        pytest.param({"expect": {"contacts": [GAIL]}}, id="a made id need not be named"),
        pytest.param({"expect": {"contacts": [GAIL | {"may_pick_up": "unknown"}]}},
                     id="a right that is not named is unknown"),
        pytest.param({"expect": {"relationships": [{"student": "1", "relationship": "mother"}]}},
                     id="nor need it be where a relationship points"),
        pytest.param({"expect": {"staff": []}}, id="an entity that the mapper does not have"),
        pytest.param({"files": {"students.csv": "\n".join(STUDENTS[:2])}, "expect": {"students": [ADA]}},
                     id="a file as one text, its last line not ended"),
        pytest.param({"files": {"STUDENTS.CSV": [c.replace(",", ";") for c in STUDENTS[:2]]},
                      "expect": {"students": [ADA]}, "notices": ["delimited by semicolon"]},
                     id="a notice"),
    ],
)  # fmt: skip
def test_a_test_holds(test: dict[str, Any]) -> None:
    assert failures(**test) == []


@pytest.mark.parametrize(
    ("test", "told"),
    [
        pytest.param(
            {"expect": {"students": [ADA | {"last_name": "Oak", "grade": "05"}]},
             "rejected": {"students": 1}},
            [("tests.0.expect.students.0",
              "students '1': last_name is 'Ash', expected 'Oak'; grade is '', expected '05'")],
            id="a field that differs",
        ),
        pytest.param(
            {"expect": {"contacts": [GAIL | {"may_pick_up": "yes"}]}},
            [("tests.0.expect.contacts.0", "contacts '1': may_pick_up is 'unknown', expected 'yes'")],
            id="a right that nobody gave",
        ),
        pytest.param(
            {"expect": {"students": [ADA | {"id": "9", "first_name": "Zoe", "last_name": "Zimt"}]},
             "rejected": {"students": 1}},
            [("tests.0.expect.students.0",
              "students: there is no such row: id '9', school '0042', first_name 'Zoe', last_name 'Zimt'"),
             ("tests.0.expect.students",
              "students: no such row is expected: id '1', school '0042', first_name 'Ada', last_name 'Ash'")],
            id="a row that is not there, and one that is not expected",
        ),
        pytest.param(
            {"expect": {"students": [ADA]}},
            [("tests.0.rejected.students", "students: 1 rejected, expected 0")],
            id="a reject that is not expected",
        ),
        pytest.param(
            {"expect": {"staff": []}, "rejected": {"students": 2}},
            [("tests.0.rejected.students", "students: 1 rejected, expected 2")],
            id="a reject that is missing",
        ),
        pytest.param(
            {"expect": {"staff": []}, "notices": ["delimited"]},
            [("tests.0.notices.0", "no notice says 'delimited'")],
            id="a notice that is missing",
        ),
        pytest.param(
            {"files": {"students.csv": ["id,school,frist,last", "1,2,3,4"]}, "expect": {"staff": []}},
            [("tests.0",
              "students.csv has no column 'first', which entities.students.fields.first_name reads "
              "[mapper.column]")],
            id="a column that the file does not have",
        ),
        pytest.param(
            {"files": {"pupils.csv": STUDENTS}},
            [("tests.0.files.pupils.csv", "no file of the mapper is named like 'pupils.csv'")],
            id="a file that the mapper does not read",
        ),
        pytest.param(
            {"expect": {"students": [{"frist_name": "Ada"}]}},
            [("tests.0.expect.students.0.frist_name", "students have no field 'frist_name'")],
            id="a field that the entity does not have",
        ),
        pytest.param(
            {"expect": {"students": [ADA | {"last_name": "As\x1b[31mh\u202e"}]}, "rejected": {"students": 1}},
            [("tests.0.expect.students.0",
              r"students '1': last_name is 'Ash', expected 'As\x1b[31mh\u202e'")],
            id="control characters are escaped",
        ),
    ],
)  # fmt: skip
def test_a_test_fails_and_says_why(test: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert failures(**test) == told


def test_a_file_is_written_in_the_encoding_that_the_mapper_declares() -> None:
    document = simple_mapper()
    document["files"]["students"]["encoding"] = "utf-16"
    zoe = ADA | {"first_name": "Zoë"}
    document["tests"] = [
        {"name": "t", "files": {"students.csv": ["id,school,first,last", "1,0042,Zoë,Ash"]},
         "expect": {"students": [zoe]}}
    ]  # fmt: skip
    assert run_carried_tests(make_mapper(document)) == []


def test_a_character_that_the_declared_encoding_does_not_have_fails_the_test() -> None:
    document = simple_mapper()
    document["files"]["students"]["encoding"] = "cp1252"
    files = {"students.csv": ["id,school,first,last", "1,0042,Ж,Ash"]}
    document["tests"] = [{"name": "t", "files": files, "expect": {"staff": []}}]
    (failure,) = run_carried_tests(make_mapper(document))
    assert failure.message == ("t: students.csv holds a character that cp1252 does not have [csv.encoding]")


def test_two_tests_of_one_name_are_a_mistake() -> None:
    test = {"name": "twice", "files": {"students.csv": STUDENTS}, "expect": {"staff": []}}
    found = run_carried_tests(make_mapper(simple_mapper() | {"tests": [test, test]}))
    assert [(f.path, f.message) for f in found] == [
        (("tests", 0, "name"), "two tests are named 'twice'"),
        (("tests", 1, "name"), "two tests are named 'twice'"),
    ]


def test_tests_are_no_part_of_the_digest() -> None:
    test = {"name": "t", "files": {"students.csv": STUDENTS}, "expect": {"staff": []}}
    assert parse_mapper(simple_mapper() | {"tests": [test]}).digest == parse_mapper(simple_mapper()).digest


# -- validate ------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "districts").mkdir()
    (tmp_path / "mappers").mkdir()
    return tmp_path


def validated(
    repository: Path, expected: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[Any]]:
    test = {"name": "Ada", "files": {"students.csv": STUDENTS[:2]}, "expect": {"students": [expected]}}
    document = deepcopy(simple_mapper()) | {"tests": [test]}
    (repository / "mappers" / "simple.json").write_text(json.dumps(document, indent=1))
    code = run(["-C", str(repository), "validate", "--format", "json"])
    return code, json.loads(capsys.readouterr().out)["problems"]


def test_validate_runs_the_tests_of_the_repositorys_mappers(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validated(repository, ADA, capsys) == (0, [])


def test_validate_names_the_line_of_the_row_that_is_not_as_expected(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, (problem,) = validated(repository, ADA | {"last_name": "Oak"}, capsys)
    lines = (repository / "mappers" / "simple.json").read_text().splitlines()
    assert code == 1
    assert (problem["code"], problem["file"], problem["severity"]) == (
        "mapper.test", "mappers/simple.json", "error",
    )  # fmt: skip
    assert problem["path"] == "tests[0].expect.students[0]"
    assert lines[problem["line"]].strip() == '"id": "1",'
    assert problem["message"] == "Ada: students '1': last_name is 'Ash', expected 'Oak'"


def test_validate_without_mapper_tests_opens_no_database(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "mappers" / "simple.json").write_text(json.dumps(simple_mapper()))
    monkeypatch.setitem(__import__("sys").modules, "reconciler.roster.mapper_tests", None)
    assert run(["-C", str(repository), "validate", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []
