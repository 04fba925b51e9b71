"""Mappers that would run for ever, reach out of their folder, or mean something else (items 42 to 54)."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.bad_inputs.case import Build, Case, both, write
from tests.acceptance.bad_inputs.schema_items import mapper_with
from tests.acceptance.world import World, students_csv

_FIELDS = {"id": "id", "school": "school", "first_name": "first_name", "last_name": "last_name"}
_MAP = ("map", "acme", "exports/oak", "--entity", "students", "--format", "csv")
_HOSTILE = 'id"; DROP TABLE students;--'
_QUOTED = '"' + _HOSTILE.replace('"', '""') + '"'
_GLOBALS = "{0.__class__.__init__.__globals__}"
MAPPER = "mappers/acme.json"


def _files(name: str = "students.csv", text: str = students_csv(1)) -> Build:
    return lambda world: world.put("oak", {name: text})


def _mapped(item: str, build: Build, code: str, says: str, at: str = "", *, exit: int = 1) -> Case:  # noqa: A002
    """`map` over an export of one student; it has no JSON of its own."""
    build = both(_files(), build)
    return Case(f"mapper-{item}", build, code, says, at, exit, _MAP, way=_from_the_exports, json=False)


def _from_the_exports(world: World, arguments: tuple[str, ...]) -> Any:
    folder = str(world.export_of("oak"))
    return world.run(*(folder if a == "exports/oak" else a for a in arguments))


def _valid(item: str, build: Build, says: str, at: str = "", code: str = "mapper.schema") -> Case:
    return Case(f"mapper-{item}", build, code, says, f"{MAPPER}:{at}" if at else "")


def _where(pattern: str) -> Build:
    return mapper_with(fields=_FIELDS, where=[{"column": "last_name", "matches": pattern}])


def _with(**fields: object) -> Build:
    return mapper_with(fields=_FIELDS | fields)


def _text(text: str) -> Build:
    return lambda world: write(world, MAPPER, text)


def _pattern(pattern: str) -> Build:
    entity = {"from": "students", "fields": _FIELDS}
    mapper = {"name": "acme", "files": {"students": {"pattern": pattern}}, "entities": {"students": entity}}
    return _text(json.dumps(mapper, indent=1))


def _extending(**bases: str) -> Build:
    def build(world: World) -> None:
        for name, base in bases.items():
            write(world, f"mappers/{name}.json", json.dumps({"name": name, "extends": base}))

    return build


def _two_targets(world: World) -> None:
    _with()(world)
    path = world.root / MAPPER
    path.write_text(
        path.read_text().replace('"last_name": "last_name"', '"last_name": "a",\n"last_name": "b"')
    )


def _synced(world: World) -> None:
    """A district in sync by a mapper of its own, which then reads another column."""
    _with(grade="grade")(world)
    world.district("oak", "acme", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(3)})
    assert world.run("reconcile").code == 0
    assert {r["homeroom"] for r in world.export("students")} == {""}
    _with(grade="grade", homeroom="id")(world)


def _was_mapped_again(world: World) -> None:
    assert world.run("reconcile").code == 0
    assert [r["homeroom"] for r in world.export("students")] == ["00001", "00002", "00003"]


CASES = [
    _mapped("42-pattern-that-takes-for-ever-elsewhere",
            both(_files(text=students_csv(1).replace("Last1", "a" * 60 + "!")), _where("^(a+)+$")),
            "", "students     0", exit=0),
    _valid("42-pattern-that-looks-around", _where("(?=a)b"), "could run for ever", "17:13"),
    _mapped("42-pattern-that-repeats-a-million-times", _where("(a{1000}){1000}"), "mapper.schema",
            "a pattern or a date format that cannot be used", f"{MAPPER}:9:15"),
    _valid("43-pattern-that-is-none", _where("(a"), "is no regular expression", "17:13"),
    _mapped("44-missing-column", _with(grade="Grade Level"), "mapper.column",
            "students.csv has no column 'Grade Level'", f"{MAPPER}:16:14"),
    _mapped("45-column-twice", both(_with(), _files(text=students_csv(1).replace("grade", "id"))),
            "csv.header", "students.csv has the column 'id' 2 times"),
    _valid("46-circle", _extending(acme="bell", bell="acme"), "extend each other in a circle: acme → bell",
           "1:29"),
    _valid("46-mapper-that-extends-itself", _extending(acme="acme"), "in a circle: acme → acme", "1:29"),
    _valid("47-path-of-a-file", _pattern("../students.csv"), "names a folder", "5:15"),
    _valid("47-path-of-a-base", _extending(acme="../../etc/passwd"), "there is no mapper '../../etc/passwd'",
           "1:29", "mapper.unknown"),
    Case("mapper-47-folder-that-cannot-be-read", lambda w: (w.root / "mappers").symlink_to("mappers"),
         "mapper.schema", "the folder mappers/ cannot be read", "mappers"),
    _valid("48-absolute-path", _pattern("/etc/passwd"), "names a folder", "5:15"),
    _mapped("49-template-that-reaches-for-globals", _with(grade={"template": _GLOBALS}), "mapper.column",
            "has no column '0.__class__.__init__.__globals__'", f"{MAPPER}:16:14"),
    _mapped("49-constant-in-braces-is-only-text", _with(grade={"const": _GLOBALS}), "", f",{_GLOBALS},",
            exit=0),
    _mapped("50-column-like-a-query", _with(grade=_HOSTILE), "mapper.column",
            f"has no column {_HOSTILE!r}", f"{MAPPER}:16:14"),
    _mapped("50-column-like-a-query-that-is-there",
            both(_with(homeroom=_HOSTILE), _files(text=students_csv(1).replace("grade", _QUOTED))), "",
            ",05,", exit=0),
    _valid("51-two-columns-to-one-field", _two_targets, 'the key "last_name" is written twice', "16:1"),
    _valid("52-unknown-field", _with(firstname="f"), 'did you mean "first_name"?', "16:5"),
    _valid("53-date-that-may-be-read-two-ways",
           _with(birth_date={"column": "birth_date", "formats": ["%m/%d/%Y", "%d/%m/%Y"]}),
           "read the same text as different days", "18:17"),
    Case("mapper-54-mapper-changed-and-no-file", _synced, "", "oak", exit=2,
         command=("plan", "--detailed-exitcode"), after=_was_mapped_again),
]  # fmt: skip
