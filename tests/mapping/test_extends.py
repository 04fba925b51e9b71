"""A mapper that extends another one: what is changed, what stays, and where a mistake is said to stand."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.cli.main import run
from reconciler.mapping.library import LoadedMapper, MapperLibrary, builtin, builtin_names
from reconciler.roster.mapper_tests import run_carried_tests

ACTIVE = {"column": "Active", "in": ["Y"]}
NAMES = {"first_name": "First", "last_name": "Last"}
BASE: dict[str, Any] = {
    "name": "base",
    "description": "Acme",
    "files": {
        "students": {"pattern": "students.csv", "encoding": "cp1252"},
        "rooms": {"pattern": "rooms.csv", "optional": True},
    },
    "entities": {
        "students": {
            "from": "students",
            "join": {"file": "rooms", "on": {"Room": "Number"}, "take": "first"},
            "where": [{"column": "Status", "in": ["A"]}],
            "fields": {"id": "Id", "school": "School", **NAMES, "grade": {"column": "Gr", "default": "UG"}},
        },
        "contacts": [
            {"from": "students", "fields": {"student": "Id", "name": "Mother", "phone": "Tel 1"}},
            {"from": "students", "fields": {"student": "Id", "name": "Father"}},
        ],
    },
    "tests": [{"name": "t", "files": {"students.csv": ["Id"]}, "expect": {"staff": []}}],
}


@pytest.fixture
def mappers(tmp_path: Path) -> Path:
    folder = tmp_path / "mappers"
    folder.mkdir()
    (tmp_path / "districts").mkdir()
    (folder / "base.json").write_text(json.dumps(BASE))
    return folder


def extended(mappers: Path, differing: dict[str, Any], name: str = "own") -> LoadedMapper:
    """The mapper that extends `base` with what differs, a value on each line."""
    document = {"name": name, "extends": "base"} | differing
    (mappers / f"{name}.json").write_text(json.dumps(document, indent=1))
    return MapperLibrary(mappers.parent).load(name)


def entity(loaded: LoadedMapper, name: str) -> Any:
    assert loaded.mapper, loaded.problems
    return loaded.mapper.document["entities"][name]


# -- what is changed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differing", "changed"),
    [
        pytest.param({"grade": "Level"}, {"grade": "Level"}, id="a field is replaced whole"),
        pytest.param({"grade": {"column": "Level"}}, {"grade": {"column": "Level"}},
                     id="a field that is an object as well: no key of the base's stays"),
        pytest.param({"homeroom": "rooms.Teacher"}, {"homeroom": "rooms.Teacher"}, id="a field is added"),
        pytest.param({"grade": None}, {"grade": None}, id="null takes a field out"),
    ],
)  # fmt: skip
def test_fields_are_changed_one_by_one(
    mappers: Path, differing: dict[str, Any], changed: dict[str, Any]
) -> None:
    loaded = extended(mappers, {"entities": {"students": {"fields": differing}}})
    before = BASE["entities"]["students"]
    fields = {k: v for k, v in (before["fields"] | changed).items() if v is not None}
    assert entity(loaded, "students") == before | {"fields": fields}
    assert entity(loaded, "contacts") == BASE["entities"]["contacts"]


@pytest.mark.parametrize(
    ("differing", "changed"),
    [
        pytest.param({"where": [ACTIVE]}, {"where": [ACTIVE]}, id="conditions are replaced whole"),
        pytest.param({"where": None}, {}, id="null takes them out"),
        pytest.param({"distinct": True}, {"distinct": True}, id="a key is added"),
    ],
)  # fmt: skip
def test_a_source_is_changed_key_by_key(
    mappers: Path, differing: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = {k: v for k, v in BASE["entities"]["students"].items() if k not in differing}
    assert entity(extended(mappers, {"entities": {"students": differing}}), "students") == before | changed


def test_a_join_is_replaced_whole(mappers: Path) -> None:
    join = {"file": "rooms", "on": {"Building": "Code"}}
    changed = entity(extended(mappers, {"entities": {"students": {"join": join}}}), "students")
    assert changed["join"] == join


def test_an_object_changes_every_source_of_a_list(mappers: Path) -> None:
    fields = {"relationship": {"const": "parent"}, "phone": None}
    first, second = entity(extended(mappers, {"entities": {"contacts": {"fields": fields}}}), "contacts")
    assert first["fields"] == {"student": "Id", "name": "Mother", "relationship": {"const": "parent"}}
    assert second["fields"] == {"student": "Id", "name": "Father", "relationship": {"const": "parent"}}


def test_a_list_takes_the_place_of_all_sources(mappers: Path) -> None:
    sources = [{"from": "students", "fields": {"student": "Id", "name": "Guardian"}}]
    assert entity(extended(mappers, {"entities": {"contacts": sources}}), "contacts") == sources


def test_an_entity_and_a_file_are_added_and_taken_out(mappers: Path) -> None:
    staff = {"from": "teachers", "fields": {"id": "Id", **NAMES}}
    loaded = extended(mappers, {
        "files": {"teachers": {"pattern": "teachers.csv"}, "rooms": None, "students": {"encoding": None}},
        "entities": {"staff": staff, "contacts": None, "students": {"join": None}},
    })  # fmt: skip
    assert loaded.mapper
    assert loaded.mapper.entities.keys() == {"students", "staff"}
    assert loaded.mapper.document["files"] == {
        "students": {"pattern": "students.csv"},
        "teachers": {"pattern": "teachers.csv"},
    }


def test_name_description_and_tests_are_each_mappers_own(mappers: Path) -> None:
    mapper = extended(mappers, {}).mapper
    assert mapper
    assert (mapper.name, mapper.description, mapper.tests) == ("own", "", ())


@pytest.mark.parametrize("name", builtin_names())
def test_to_extend_a_built_in_with_nothing_is_to_have_its_rows_and_its_digest(
    name: str, mappers: Path
) -> None:
    base, own = builtin(name).mapper, extended(mappers, {"extends": name}).mapper
    assert base
    assert own
    assert own.digest == base.digest
    assert run_carried_tests(replace(own, tests=base.tests)) == []


def test_the_digest_is_that_of_the_mapper_written_out(mappers: Path) -> None:
    own = extended(mappers, {"entities": {"students": {"fields": {"grade": "Level"}}}}).mapper
    changed = json.loads(json.dumps(BASE))
    changed["entities"]["students"]["fields"]["grade"] = "Level"
    (mappers / "written-out.json").write_text(json.dumps(changed | {"name": "written-out"}))
    assert own
    assert own.digest == MapperLibrary(mappers.parent).get("written-out").digest
    changed["files"]["students"]["encoding"] = "utf-8"
    (mappers / "base.json").write_text(json.dumps(changed))
    assert MapperLibrary(mappers.parent).get("own").digest != own.digest


def test_mappers_extend_one_another_in_a_row(mappers: Path) -> None:
    for before, name in (("base", "two"), ("two", "three"), ("three", "four"), ("four", "five")):
        fields = {"homeroom": f"Room of {name}", **({"email": "E-mail"} if name == "two" else {})}
        loaded = extended(
            mappers, {"extends": before, "entities": {"students": {"fields": fields}}}, name=name
        )
    fields = entity(loaded, "students")["fields"]
    assert (fields["homeroom"], fields["email"], fields["id"]) == ("Room of five", "E-mail", "Id")


def test_a_mapper_may_extend_the_built_in_that_it_hides(mappers: Path) -> None:
    fields = {"homeroom": "Room"}
    own = extended(mappers, {"extends": "clever", "entities": {"students": {"fields": fields}}}, "clever")
    assert entity(own, "students")["fields"]["homeroom"] == "Room"
    assert entity(own, "students")["fields"]["id"] == "Student_id"


# -- mistakes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("differing", "line", "path", "message", "hint"),
    [
        pytest.param({"extends": "bass"}, '"extends"', "extends", "there is no mapper 'bass'",
                     "did you mean 'base'?", id="a base that there is not"),
        pytest.param({"extends": "own"}, '"extends"', "extends",
                     "mappers extend each other in a circle: own → own", "", id="itself"),
        pytest.param({"entities": {"students": {"fields": {"grad": None}}}}, '"grad"',
                     "entities.students.fields.grad", "there is no 'grad' to take out",
                     "did you mean 'grade'?", id="a field that the base does not have"),
        pytest.param({"entities": {"contacts": {"fields": {"email": None}}}}, '"email"',
                     "entities.contacts.fields.email", "there is no 'email' to take out", "",
                     id="a field that no source of a list has"),
        pytest.param({"files": {"students": {"delimiter": ";;"}}}, '"delimiter"', "files.students.delimiter",
                     "must be one of", "", id="a value that is wrong"),
        pytest.param({"entities": {"students": {"feilds": {}}}}, '"feilds"', "entities.students.feilds",
                     'unknown key "feilds"', 'did you mean "fields"?', id="a key that there is not"),
        pytest.param({"entities": {"studens": {}}}, '"studens"', "entities.studens", 'unknown key "studens"',
                     'did you mean "students"?', id="an entity that there is not"),
        pytest.param({"entities": {"students": {"fields": {"id": {"column": "Id", "transform": "uper"}}}}},
                     '"transform"', "entities.students.fields.id.transform", "must be one of",
                     'did you mean "upper"?', id="a transform that there is not"),
        pytest.param({"entities": {"students": {"from": "pupils"}}}, '"from"', "entities.students.from",
                     "names no file 'pupils'", "known:", id="a file that is not named"),
        pytest.param({"entities": {"students": {"fields": {"last_name": None}}}}, '"fields"',
                     "entities.students.fields", '"last_name" is missing', "", id="a field that is needed"),
        pytest.param({"files": {"rooms": None}}, '"extends"', "entities.students.join.file",
                     "names no file 'rooms'", "", id="what the base alone says is told at extends"),
    ],
)  # fmt: skip
def test_a_mistake_stands_where_the_mapper_says_it(
    mappers: Path, differing: dict[str, Any], line: str, path: str, message: str, hint: str
) -> None:
    (problem,) = extended(mappers, differing).problems
    text = (mappers / "own.json").read_text().splitlines()
    assert (problem.file, problem.path) == ("mappers/own.json", path)
    assert line in text[problem.line - 1]
    assert problem.column > 1
    assert message in problem.message
    assert hint in problem.hint


def validated(mappers: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int, str]]:
    run(["-C", str(mappers.parent), "validate", "--format", "json"])
    problems = json.loads(capsys.readouterr().out)["problems"]
    return [(p["file"], p["line"], p["message"]) for p in problems]


def test_a_circle_is_told_in_every_file_of_it(mappers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (mappers / "base.json").unlink()
    for name, base in (("a", "b"), ("b", "c"), ("c", "b")):
        extended(mappers, {"extends": base}, name)
    circle = "mappers extend each other in a circle: "
    assert validated(mappers, capsys) == [
        ("mappers/a.json", 3, circle + "a → b → c → b"),
        ("mappers/b.json", 3, circle + "b → c → b"),
        ("mappers/c.json", 3, circle + "c → b → c"),
    ]


def test_a_row_of_mappers_has_an_end(mappers: Path) -> None:
    names = ["base", "m1", "m2", "m3", "m4", "m5", "m6"]
    for before, name in pairwise(names):
        loaded = extended(mappers, {"extends": before}, name)
    (problem,) = loaded.problems
    assert problem.message == "more than 5 mappers extend one another: m6 → m5 → m4 → m3 → m2 → m1"


def test_a_base_with_mistakes_is_told_once_and_pointed_at(
    mappers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mappers / "base.json").write_text('{"name": "base",\n "fils": {}}')
    extended(mappers, {})
    found = validated(mappers, capsys)
    assert {(file, line) for file, line, _ in found} >= {("mappers/base.json", 2), ("mappers/own.json", 3)}
    (own,) = [message for file, _, message in found if file == "mappers/own.json"]
    assert own == "the mapper 'base', which it extends, has mistakes"


KEYS = st.sampled_from(
    [
        "files",
        "students",
        "rooms",
        "pattern",
        "entities",
        "contacts",
        "fields",
        "id",
        "where",
        "join",
        "tests",
        "0",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 9)
    | st.sampled_from(["", "students", "Id", "base", "own", "{n}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(differing=st.dictionaries(KEYS, VALUES, max_size=4), base=VALUES | st.just("base"))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_mapper_says_differs_it_is_read_or_its_mistakes_are_told(
    mappers: Path, differing: dict[str, Any], base: Any
) -> None:
    loaded = extended(mappers, differing | {"extends": base})
    assert (loaded.mapper is None) == bool(loaded.problems)
    assert all(p.file == "mappers/own.json" and p.line for p in loaded.problems)


def test_map_runs_a_mapper_file_that_extends_another(
    mappers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"id": "Pupil"}
    extended(mappers, {"extends": "generic", "entities": {"students": {"fields": fields}}})
    export = mappers.parent / "export"
    export.mkdir()
    (export / "students.csv").write_text("Pupil,school,first_name,last_name\n007,S1,Ada,Ash\n")
    arguments = ["map", str(mappers / "own.json"), str(export), "--entity", "students", "--format", "jsonl"]
    assert run(["-C", str(mappers.parent), *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "007"


def test_map_finds_the_base_beside_a_file_outside_of_any_repository(
    mappers: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extended(
        mappers, {"entities": {"students": {"join": None, "fields": {"grade": "Level"}}, "contacts": None}}
    )
    (mappers.parent / "districts").rmdir()
    monkeypatch.chdir(mappers.parent)
    (mappers / "students.csv").write_text("Id,School,First,Last,Status,Level\n007,S1,Ada,Ash,A,5\n")
    assert run(["map", "mappers/own.json", "mappers", "--entity", "students", "--format", "jsonl"]) == 0
    assert json.loads(capsys.readouterr().out)["grade"] == "5"
