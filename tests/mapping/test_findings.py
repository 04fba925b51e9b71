"""What is wrong with a mapper that its schema lets pass, and where it is said to be wrong."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import duckdb
import pytest

from reconciler.documents.schema import load_schema
from reconciler.errors import MapperError
from reconciler.mapping.check import findings
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.formats import date_fault, pattern_fault
from reconciler.mapping.library import MapperLibrary, builtin, builtin_names, read_mapper_file
from reconciler.mapping.model import DATE_FORMATS
from reconciler.mapping.parse import parse_mapper
from tests.roster.running import simple_mapper

GOOD = simple_mapper(
    contacts={"from": "students", "fields": {"student": "id", "name": "contact"}},
    relationships={"from": "extra", "fields": {"student": "s", "contact": "c"}},
)


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with the value at a dotted path replaced; None: taken out."""
    document = deepcopy(GOOD)
    *steps, last = path.split(".")
    place = document
    for step in steps:
        place = place.setdefault(step, {})
    place[last] = value
    if value is None:
        del place[last]
    return document


def test_a_good_mapper_has_no_findings() -> None:
    assert findings(parse_mapper(GOOD)) == []


LIST = {"column": "s", "split": ","}
JOIN = {"file": "extra", "on": {"id": "id"}}


@pytest.mark.parametrize(
    ("path", "value", "found", "message"),
    [
        ("entities", {}, "entities", "describes no entity"),
        ("entities.students.from", "student", "entities.students.from", "names no file 'student'"),
        ("entities.students.join", JOIN | {"file": "no"}, "entities.students.join.file", "no file 'no'"),
        ("entities.students.join", [JOIN, JOIN], "entities.students.join[1]", "joined twice"),
        ("entities.students.join", JOIN | {"as": "students"}, "entities.students.join", "joined twice"),
        ("entities.students.join", JOIN | {"split": ",", "on": {"a": "b", "c": "d"}},
         "entities.students.join.on", "one column"),
        ("entities.students.fields.school", None, "entities.students.fields", "need the field school"),
        ("entities.contacts.fields.name", None, "entities.contacts.fields", "need name"),
        ("entities.contacts.fields.student", None, "entities.contacts.fields", "need an id, or the student"),
        ("entities.relationships.fields", {"student": LIST, "contact": LIST},
         "entities.relationships.fields", "only one field"),
        ("entities.students.fields.birth_date", {"column": "b", "formats": ["%Y"]},
         "entities.students.fields.birth_date.formats", "does not name a day"),
        ("entities.students.fields.grade", {"column": "g", "formats": ["%Y-%m-%d"]},
         "entities.students.fields.grade.formats", "only a field of type date"),
        ("entities.students.fields.grade", {"column": "g", "item": "first"},
         "entities.students.fields.grade.item", "only a list"),
        ("entities.students.where", {"column": "c", "matches": "(a+"}, "entities.students.where", "regular"),
        ("entities.students.join", JOIN | {"where": {"column": "c", "matches": "(?=a)"}},
         "entities.students.join.where", "looks around"),
        ("entities.students.repeat", {c: list("123456") for c in "abc"}, "entities.students.repeat", "more"),
        ("entities.students.fields.id", {"const": "a\0b"}, "", "NUL"),
        ("entities.students.fields.id", {"const": "a\ud800b"}, "", "half a character"),
        ("files.students.encoding", "utf-88", "files.students.encoding", "no encoding of text"),
        ("files.students.pattern", "../*.csv", "files.students.pattern", "names a folder"),
        ("files.students.except", ["out/*.csv"], "files.students.except", "names a folder"),
        ("files.students.encoding", "base64", "files.students.encoding", "no encoding of text"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_where_it_stands(path: str, value: Any, found: str, message: str) -> None:
    (finding,) = findings(parse_mapper(changed(path, value)))
    assert finding.path == found
    assert message in finding.message


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    (finding,) = findings(parse_mapper(changed("entities.students.from", "student")))
    assert finding.hint == "did you mean 'students'?"


@pytest.mark.parametrize(
    ("formats", "fault"),
    [
        (DATE_FORMATS, ""),
        (("%m/%d/%y", "%-m/%-d/%Y", "%b %d, %Y", "%d %B %Y", "%Y%j", "%Y-%m-%dT%H:%M:%SZ"), ""),
        (("%m/%d/%Y", "%d/%m/%Y"), "read the same text as different days"),
        (("%-d.%m.%Y", "%m.%d.%Y"), "read the same text as different days"),
        (("%m/%d/%Y", "%d.%m.%Y"), ""),
        (("%Y-%m",), "does not name a day, a month and a year"),
        (("MM/DD/YYYY",), "does not name a day, a month and a year"),
        (("%Y-%m-%d %Q",), "has %Q"),
        (("%Y-%m-%d%",), "says nothing"),
    ],
)
def test_date_formats_must_say_one_day_for_one_text(formats: tuple[str, ...], fault: str) -> None:
    assert fault in date_fault(formats)
    assert bool(fault) == bool(date_fault(formats))


@pytest.mark.parametrize(
    ("pattern", "is_good"),
    [
        (r"[A-Z]{2}\d+", True), (r"(?i)active|enrolled", True), (r"\p{L}+", True), (r"[[:alpha:]]+", True),
        (r"(a+)+$", True), (r"\(?=\)", True), (r"a\\1", True), (r"", True), (r"(?P<x>a)", True),
        (r"a++", False), (r"a{2}+", False), (r"a\++", True), ("a" + chr(92), False), (r"(?(1)a|b)", False),
        (r"(", False), (r"[", False), (r"*", False), (r"a{2,1}", False),
        (r"a(?=b)", False), (r"a(?!b)", False), (r"(?<=a)b", False), (r"(?<!a)b", False), (r"(a)\1", False),
    ],
)  # fmt: skip
def test_patterns_must_be_those_of_re2(pattern: str, is_good: bool) -> None:
    assert (pattern_fault(pattern) == "") is is_good
    try:
        duckdb.execute("SELECT regexp_full_match('a', ?)", [pattern])
        accepted = True
    except duckdb.InvalidInputException:
        accepted = False
    assert accepted is is_good


def test_a_finding_has_the_line_on_which_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "simple.json"
    path.write_text(json.dumps(changed("entities.students.from", "student"), indent=1))
    loaded = read_mapper_file(path, display="mappers/simple.json", root=None)
    assert loaded.mapper is None
    (problem,) = loaded.problems
    line = path.read_text().splitlines()[problem.line - 1]
    assert '"from": "student"' in line
    assert (problem.code, problem.file) == ("mapper.schema", "mappers/simple.json")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("surprise", 1),
        ("entities.teachers", {"from": "students", "fields": {"id": "a"}}),
        ("entities.students.fields.shoe_size", "x"),
        ("entities.students.fields.id", {"column": "a", "const": "b"}),
        ("entities.students.fields.id", {"transform": "trim"}),
        ("entities.students.fields.id", {"column": "a", "transform": "eval"}),
        ("entities.students.fields.id", {"column": "a", "type": "float"}),
        ("entities.students.fields.id", 7),
        ("entities.students.where", {"column": "a"}),
        ("entities.students.where", {"column": "a", "like": "x"}),
        ("files.students.delimiter", "ab"),
        ("files.students.pattern", None),
        ("files", {}),
        ("name", "another"),
    ],
)
def test_the_schema_refuses_what_a_mapper_cannot_say(tmp_path: Path, path: str, value: Any) -> None:
    file = tmp_path / "simple.json"
    file.write_text(json.dumps(changed(path, value)))
    loaded = read_mapper_file(file, display="simple.json", root=None)
    assert loaded.mapper is None
    assert {p.code for p in loaded.problems} == {"mapper.schema"}


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_mapper_is_without_mistakes(name: str) -> None:
    loaded = builtin(name)
    assert loaded.problems == ()
    assert loaded.mapper
    assert loaded.mapper.description
    assert "students" in loaded.mapper.entities


def test_a_mapper_may_be_written_in_yaml_and_hides_a_built_in_with_a_notice(tmp_path: Path) -> None:
    folder = tmp_path / "mappers"
    folder.mkdir()
    text = "{name: clever, files: {f: {pattern: x}}, entities: {schools: {from: f, fields: {id: a}}}}"
    (folder / "clever.yaml").write_text(text)
    library = MapperLibrary(tmp_path)
    assert library.get("clever").entities.keys() == {"schools"}
    assert [(p.code, p.severity) for p in library.problems()] == [("mapper.hides", "notice")]
    assert library.files() == ["mappers/clever.yaml"]


def test_a_mapper_that_there_is_not_is_named_with_the_nearest() -> None:
    with pytest.raises(MapperError) as raised:
        MapperLibrary(None).get("cleaver")
    assert raised.value.code == "mapper.unknown"
    assert raised.value.hint == "did you mean 'clever'?"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a.json", "a.yaml"], ["mappers/a.yaml: is not read: a.json has this name"]),
        (["a.yaml", "a.yml"], ["mappers/a.yaml: is not read: a.yml has this name"]),
        (["clever.JSON"], ["mappers/clever.JSON: is not read: the ending must be .json"]),
        (["a.yaml~", ".a.json", "notes.txt"], []),
    ],
)
def test_a_file_that_looks_like_a_mapper_and_is_not_read_is_told(
    names: list[str], told: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "mappers"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("{}")
    assert [str(p) for p in MapperLibrary(tmp_path).problems() if "is not read" in p.message] == told


@pytest.mark.parametrize("what", ["a file", "a link to itself"])
def test_mappers_that_cannot_be_listed_are_not_taken_for_none(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "mappers"
    folder.write_text("") if what == "a file" else folder.symlink_to("mappers")
    with pytest.raises(MapperError, match="the folder mappers/ cannot be read"):
        MapperLibrary(tmp_path)


# -- the schema ---------------------------------------------------------------------------------------------


def test_the_schema_names_exactly_the_fields_of_each_entity() -> None:
    definitions = load_schema("mapper.schema.json")["$defs"]
    for name, entity in ENTITIES.items():
        fields = definitions[f"{name}_source"]["properties"]["fields"]
        assert tuple(fields["properties"]) == entity.fields
        assert tuple(fields.get("required", ())) == entity.required


def test_every_key_that_a_person_may_write_is_described() -> None:
    schema = load_schema("mapper.schema.json")
    definitions = schema["$defs"]

    def undescribed(node: Any, path: str) -> list[str]:
        if isinstance(node, list):
            return [p for i, item in enumerate(node) for p in undescribed(item, f"{path}[{i}]")]
        if not isinstance(node, dict):
            return []
        found = [
            f"{path}.{key}"
            for key, value in node.get("properties", {}).items()
            if "description" not in value
            and "description" not in definitions.get(value.get("$ref", "").removeprefix("#/$defs/"), {})
        ]
        return found + [p for key, value in node.items() for p in undescribed(value, f"{path}.{key}")]

    assert undescribed(schema, "") == []
