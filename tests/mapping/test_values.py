"""One value: what each transform makes of it, and what each type takes for one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

from reconciler.mapping.entities import RIGHTS
from reconciler.mapping.model import Field
from reconciler.mapping.parse import parse_mapper
from reconciler.mapping.values import transformed, typed


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def make_field(name: str = "notes", **keys: Any) -> Field:
    """The field as a mapper's document describes it."""
    source = {"from": "f", "fields": {name: {"column": "c"} | keys}}
    mapper = parse_mapper({"files": {"f": {"pattern": "f"}}, "entities": {"contacts": source}})
    return mapper.entities["contacts"].sources[0].fields[0]


def value(db: duckdb.DuckDBPyConnection, field: Field, text: str | None) -> str | None:
    """What becomes of one cell; None: it is empty, or not of the field's type."""
    expression = transformed(field, "c")
    raw = f"SELECT {expression} AS r FROM (SELECT ?::VARCHAR AS c)"
    row = db.execute(f"SELECT {typed(field, 'r') or 'r'} FROM ({raw})", [text]).fetchone()
    assert row
    return row[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("transform", "text", "expected"),
    [
        ("trim", "  a ", "a"),
        ("trim", "   ", None),
        ("upper", "José", "JOSÉ"),
        ("lower", "ÑANDÚ", "ñandú"),
        ("title", "MARY-ANN O'BRIEN", "Mary-Ann O'Brien"),
        ("title", "élodie de la cruz", "Élodie De La Cruz"),
        ("title", "3rd street", "3Rd Street"),
        ("digits", "(555) 123-4567 x8", "55512345678"),
        ("digits", "none", None),
        ("digits", "١٢٣", None),
        ({"replace": ["-", ""]}, "1-2-3", "123"),
        ({"replace": [".", "x"]}, "a.b", "axb"),
        ({"replace": ["", "x"]}, "ab", "ab"),
        ({"replace": ["a", ""]}, "a", None),
        (["lower", {"replace": ["st.", "saint"]}, "title"], "ST. IVES", "Saint Ives"),
        ("upper", None, None),
    ],
)
def test_a_transform(
    db: duckdb.DuckDBPyConnection, transform: Any, text: str | None, expected: str | None
) -> None:
    assert value(db, make_field(transform=transform), text) == expected


@pytest.mark.parametrize(
    ("keys", "text", "expected"),
    [
        pytest.param({"map": {"0": "KG"}}, "0", "KG", id="named"),
        pytest.param({"map": {"0": "KG"}}, "1", "1", id="not named: as it is"),
        pytest.param({"map": {"0": "KG"}}, None, None, id="empty"),
        pytest.param({"map": {"": "none"}}, None, "none", id="the empty key"),
        pytest.param({"map": {"N/A": ""}}, "N/A", None, id="mapped to nothing"),
        pytest.param({"map": {"a": "b"}}, "A", "A", id="case counts"),
        pytest.param({"map": {"Ab": "b"}, "map_ignores_case": True}, "aB", "b", id="unless said otherwise"),
        pytest.param({"default": "UG"}, None, "UG", id="default of an empty cell"),
        pytest.param({"default": "UG"}, "1", "1", id="no default of another"),
        pytest.param({"map": {"x": ""}, "default": "UG"}, "x", "UG", id="default after the map"),
        pytest.param({"transform": "upper", "map": {"A": "1"}}, "a", "1", id="map after the transforms"),
    ],
)
def test_map_and_default(
    db: duckdb.DuckDBPyConnection, keys: dict[str, Any], text: str | None, expected: str | None
) -> None:
    assert value(db, make_field(**keys), text) == expected


@pytest.mark.parametrize(
    ("formats", "text", "expected"),
    [
        ((), "2013-04-05", "2013-04-05"),
        ((), "4/5/2013", "2013-04-05"),
        ((), "04/05/2013", "2013-04-05"),
        ((), "2013-04-05T00:00:00Z", "2013-04-05"),
        ((), "2017-09-21 07:11:54", "2017-09-21"),
        ((), "2017-09-21T23:30:00.000-05:00", "2017-09-21"),
        ((), "2017-09-21T00:00", "2017-09-21"),
        ((), "2017-09-21 00:00:00 UTC", "2017-09-21"),
        ((), "9/21/2017 12:00:00 AM", "2017-09-21"),
        ((), "09/21/2017 0:00", "2017-09-21"),
        ((), "2017-09-21T25:00:00Z", None),
        ((), "2017-09-21T", None),
        ((), "T00:00:00Z", None),
        ((), "2022-2-01", "2022-02-01"),
        ((), "2013-02-30", None),
        ((), "02/29/2013", None),
        ((), "02/29/2012", "2012-02-29"),
        ((), "13/01/2013", None),
        ((), "0/0/00", None),
        ((), "04/05/13", None),
        ((), "1899-12-31", None),
        ((), "2101-01-01", None),
        ((), "41369", None),
        ((), "20130405", None),
        ((), "2013-04-05x", None),
        ((), "today", None),
        ((), "infinity", None),
        ((), "epoch", None),
        ((), None, None),
        (("%m/%d/%y",), "04/05/13", "2013-04-05"),
        (("%m/%d/%y",), "04/05/2013", None),
        (("%m/%d/%Y",), "04/05/2013 00:00", None),
        (("%d/%m/%Y",), "04/05/2013", "2013-05-04"),
        (("%d/%m/%Y", "%Y-%m-%d"), "2013-04-05", "2013-04-05"),
        (("%Y%m%d",), "20130405", "2013-04-05"),
        (("%b %d, %Y",), "Apr 5, 2013", "2013-04-05"),
    ],
)
def test_a_date_is_one_of_the_calendar_or_none(
    db: duckdb.DuckDBPyConnection, formats: Sequence[str], text: str | None, expected: str | None
) -> None:
    keys = {"formats": list(formats)} if formats else {}
    assert value(db, make_field(type="date", **keys), text) == expected


def test_a_birth_date_is_always_a_date() -> None:
    source = {"from": "f", "fields": {"birth_date": "DOB"}}
    mapper = parse_mapper({"files": {"f": {"pattern": "f"}}, "entities": {"students": source}})
    assert mapper.entities["students"].sources[0].fields[0].type == "date"


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [("Y", "yes"), ("yes", "yes"), ("TRUE", "yes"), ("1", "yes"), ("x", "yes"), ("t", "yes"),
     ("N", "no"), ("No", "no"), ("FALSE", "no"), ("0", "no"), ("f", "no"),
     ("unknown", None), ("Unknown", None), (None, None)],
)  # fmt: skip
def test_a_right_is_yes_or_no_or_not_known(
    db: duckdb.DuckDBPyConnection, right: str, text: str | None, expected: str | None
) -> None:
    assert value(db, make_field(right), text) == expected


@pytest.mark.parametrize(
    "text", ["maybe", "ok", "Yes, but only on Mondays", "2", "-1", "see office", "not yes", "да"]
)
@pytest.mark.parametrize(
    ("right", "expected"), [("may_pick_up", None), ("emergency", None), ("custody_alert", "yes")]
)
def test_any_other_text_gives_nobody_a_right_and_is_a_custody_alert(
    db: duckdb.DuckDBPyConnection, right: str, expected: str | None, text: str
) -> None:
    assert value(db, make_field(right), text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", "007", "007"),
        ("integer", "007", "007"),
        ("integer", "-3", "-3"),
        ("integer", "1e3", None),
        ("integer", "1_000", None),
        ("integer", "١٢", None),
        ("integer", "1.0", None),
        ("boolean", "Yes", "true"),
        ("boolean", "0", "false"),
        ("boolean", "perhaps", None),
        ("email", "pat.o'lee+x@school.example", "pat.o'lee+x@school.example"),
        ("email", "Ännä@dömäin.example", "Ännä@dömäin.example"),
        ("email", "none", None),
        ("email", "a@b@c", None),
        ("email", "a@b.example, c@d.example", None),
        ("email", "@", None),
        ("phone", "(555) 123-4567 x12", "(555) 123-4567 x12"),
        ("phone", "+44 20 7946 0958", "+44 20 7946 0958"),
        ("phone", "911", None),
        ("phone", "call the office", None),
        ("grade", "0", "KG"),
        ("grade", "K", "KG"),
        ("grade", "Kindergarten", "KG"),
        ("grade", "-1", "PK"),
        ("grade", "Pre-K", "PK"),
        ("grade", "1", "01"),
        ("grade", "01", "01"),
        ("grade", "9th", "09"),
        ("grade", "3rd Grade", "03"),
        ("grade", "Grade 12", "12"),
        ("grade", "13", "13"),
        ("grade", "14", None),
        ("grade", "UG", "UG"),
        ("grade", "Senior", None),
    ],
)
def test_a_type_takes_only_what_is_of_it(
    db: duckdb.DuckDBPyConnection, kind: str, text: str, expected: str | None
) -> None:
    assert value(db, make_field(type=kind), text) == expected
