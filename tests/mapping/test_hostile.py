"""Text in a mapper, in a header or in a cell is text: it is never part of a query, a format or a command."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import MapperError
from reconciler.mapping.check import findings
from reconciler.mapping.parse import parse_mapper
from reconciler.mapping.sql import literal, name
from tests.roster.running import resolve, simple_mapper

HOSTILE = [
    "'; DROP TABLE students; --",
    '"; DROP TABLE students; --',
    "' OR '1'='1",
    "x') UNION SELECT sql FROM duckdb_tables() --",
    "/* */ \\'; ATTACH 'x'; --",
    "{0.__class__.__init__.__globals__}",
    "{}",
    "%(id)s $(rm -rf .) `id` ${HOME}",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "c0",
    "t0.c0",
    "[1]:*?^$.|",
    "\u202eabc\u2066",
    "Ж\u0301 \U0001f9d2",
]


def quoted(*cells: str) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_only_text_as_column_constant_map_default_and_cell(text: str) -> None:
    document = simple_mapper()
    fields: dict[str, Any] = document["entities"]["students"]["fields"]
    fields |= {
        "middle_name": text,
        "preferred_name": {"const": text},
        "homeroom": {"column": "id", "map": {"1": text, text: "x"}},
        "gender": {"column": "id", "transform": [{"replace": ["1", text]}, {"replace": [text, "1"]}]},
        "email": {"column": "empty", "default": text},
        "student_number": {"column": text, "split": text[:5], "item": "first"},
    }
    document["entities"]["students"]["where"] = [
        {"column": text, "in": [text]},
        {"column": text, "equals": text},
        {"column": "id", "not_in": [text], "ignore_case": True},
    ]
    files = {
        "students.csv": quoted("id", "school", "first", "last", "empty", text)
        + quoted("1", "A", text, text, "", text)
    }
    row = resolve(document, files).students[0]
    assert (row["first_name"], row["last_name"]) == (text, text)
    assert (row["middle_name"], row["preferred_name"], row["homeroom"], row["email"]) == (
        text,
        text,
        text,
        text,
    )
    assert row["gender"] == "1"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_column_that_is_missing_is_only_named(text: str) -> None:
    document = simple_mapper()
    document["entities"]["students"]["fields"]["grade"] = text
    with pytest.raises(MapperError) as raised:
        resolve(document, {"students.csv": "id,school,first,last\n1,A,Ann,Lee\n"})
    assert raised.value.code == "mapper.column"
    assert repr(text) in raised.value.message


@pytest.mark.parametrize("text", [t for t in HOSTILE if "{" not in t and "}" not in t])
def test_a_template_and_the_names_of_files_and_aliases_are_only_text(text: str) -> None:
    document = simple_mapper()
    document["files"] |= {text: {"pattern": "x.csv"}}
    source = document["entities"]["students"]
    source["join"] = {
        "file": text,
        "as": f"{text}.",
        "on": {"id": text},
        "where": {"column": text, "equals": "1"},
    }
    source["fields"] |= {"homeroom": f"{text}..{text}", "grade": {"template": text + "{id}" + text}}
    files = {
        "students.csv": "id,school,first,last\n1,A,Ann,Lee\n",
        "x.csv": quoted("k", text) + quoted("k", "1"),
    }
    row = resolve(document, files).students[0]
    assert row["homeroom"] == "1"
    assert row["grade"] == " ".join((text + "1" + text).split(" "))


def test_braces_around_what_is_no_column_are_a_missing_column_and_nothing_else() -> None:
    for template in ("{0.__class__}", "{id!r}", "{id:>10}", "{ }", "{id[0]}"):
        document = simple_mapper()
        document["entities"]["students"]["fields"]["grade"] = {"template": template}
        with pytest.raises(MapperError) as raised:
            resolve(document, {"students.csv": "id,school,first,last\n1,A,Ann,Lee\n"})
        assert raised.value.code == "mapper.column"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest.mark.parametrize("place", ["const", "default", "template", "map"])
def test_what_cannot_be_part_of_a_query_is_found_before_one_is_made(text: str, place: str) -> None:
    document = simple_mapper()
    value: Any = {text: "x"} if place == "map" else text
    field = {place: value} if place in ("const", "template") else {"column": "id", place: value}
    document["entities"]["students"]["fields"]["grade"] = field
    assert [f.message for f in findings(parse_mapper(document))] == ["a text holds a NUL or half a character"]


def test_the_one_place_where_text_becomes_sql_doubles_quotes_and_refuses_a_nul() -> None:
    assert literal("a'b''c") == "'a''b''''c'"
    assert name('a"b') == '"a""b"'
    with pytest.raises(ValueError, match="NUL"):
        literal("a\0b")
