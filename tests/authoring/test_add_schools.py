"""Schools that are added to a file: their lines, in the file's own way, and not a character else."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.authoring.schools import add_schools, writable
from reconciler.config.district import SchoolMapping
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import ConfigError
from tests.authoring.handwriting import TEXT, Hand, districts

SCHEMA = load_schema("district.schema.json")
REST = """\
district: oak
name: Oak
account: "1"
sftp: {host: h.example, username: u, password: {env: SFTP_OAK_PASSWORD}}
mapper: clever   # as every year
"""
NEW = (SchoolMapping("0042", "lincoln", "Lincoln, North"), SchoolMapping("7", "no"))
BRACES = '  - {sis_id: "0042", school: lincoln, name: "Lincoln, North"}\n  - {sis_id: "7", school: "no"}\n'


def added(text: str, *schools: SchoolMapping) -> str:
    return add_schools(text.encode(), schools or NEW, file="oak.yaml", schema=SCHEMA)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", f"schools:\n{BRACES}", id="a file without schools"),
        pytest.param(
            "\n# never at night\nsync: {}\n",
            f"schools:\n{BRACES}\n# never at night\nsync: {{}}\n",
            id="where the reference has them",
        ),
        pytest.param("schools: []  # soon\n", f"schools:  # soon\n{BRACES}", id="an empty list"),
        pytest.param(
            'schools:\n  - {sis_id: "1", school: a}  # one\n  # the end\nsync: {}\n',
            f'schools:\n  - {{sis_id: "1", school: a}}  # one\n{BRACES}  # the end\nsync: {{}}\n',
            id="a list of braces",
        ),
        pytest.param(
            'schools:\n- school: a # one\n  sis_id: "1"',
            'schools:\n- school: a # one\n  sis_id: "1"\n'
            '- sis_id: "0042"\n  school: lincoln\n  name: Lincoln, North\n- sis_id: "7"\n  school: "no"\n',
            id="a list of lines, its own indent, no end of line",
        ),
        pytest.param(
            'schools: [{sis_id: "1", school: a}]  # one\n',
            'schools: [{sis_id: "1", school: a}, {sis_id: "0042", school: lincoln, name: "Lincoln, North"}, '
            '{sis_id: "7", school: "no"}]  # one\n',
            id="brackets",
        ),
        pytest.param(
            'schools: [\n  {sis_id: "1", school: a}, # one\n]\n',
            'schools: [\n  {sis_id: "1", school: a},\n'
            '  {sis_id: "0042", school: lincoln, name: "Lincoln, North"},\n'
            '  {sis_id: "7", school: "no"}, # one\n]\n',
            id="brackets over several lines",
        ),
    ],
)  # fmt: skip
def test_schools_are_added_in_the_way_of_the_file(before: str, after: str) -> None:
    assert added(REST + before) == REST + after


@pytest.mark.parametrize(
    "schools", ['"schools": []', '"schools": [\n    {"sis_id": "1", "school": "a"}\n  ]', ""]
)
def test_a_file_in_json_stays_json(schools: str) -> None:
    sftp = '{"host": "h.example", "username": "u", "password": {"env": "SFTP_OAK_PASSWORD"}}'
    rest = f'"district": "oak", "name": "Oak", "account": "1", "mapper": "clever",\n  "sftp": {sftp}'
    text = f"{{\n  {rest}{',' if schools else ''}\n  {schools}\n}}\n"
    after = parse_document(added(text).encode(), display="oak.json").value
    assert after["schools"][-2:] == [
        {"sis_id": "0042", "school": "lincoln", "name": "Lincoln, North"},
        {"sis_id": "7", "school": "no"},
    ]


def test_line_ends_of_windows_stay() -> None:
    after = added(REST.replace("\n", "\r\n"))
    assert after == (REST + f"schools:\n{BRACES}").replace("\n", "\r\n")


def test_a_long_school_is_written_line_by_line() -> None:
    after = added(REST, SchoolMapping("1", "a" * 60, "b" * 60))
    assert after == f'{REST}schools:\n  - sis_id: "1"\n    school: {"a" * 60}\n    name: {"b" * 60}\n'


def test_what_would_not_be_valid_is_refused() -> None:
    with pytest.raises(ConfigError):
        added(REST, SchoolMapping("x" * 201, "a"))


@pytest.mark.parametrize(
    ("school", "after"),
    [
        (SchoolMapping("1", "a", "Lincoln\n  Elementary\t"), SchoolMapping("1", "a", "Lincoln Elementary")),
        (SchoolMapping("1", "a", "\u202elincoln"), SchoolMapping("1", "a")),
        (SchoolMapping("1", "a", "x" * 201), SchoolMapping("1", "a")),
        (SchoolMapping("1\x1b[2J", "a"), None),
        (SchoolMapping(" ", "a"), None),
    ],
    ids=["space in a name", "a hidden character", "a long name", "an escape in an id", "an empty id"],
)
def test_what_a_file_cannot_have_is_left_out(school: SchoolMapping, after: SchoolMapping | None) -> None:
    assert writable(school) == after


@st.composite
def handwritten(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    value = draw(districts())
    return value, Hand(draw).write(value)


@settings(max_examples=60, deadline=None)
@given(handwritten(), st.lists(st.builds(SchoolMapping, TEXT, TEXT, TEXT), min_size=1, max_size=3))
def test_nothing_but_lines_is_added_however_the_file_is_written(
    made: tuple[dict[str, Any], str], schools: list[SchoolMapping]
) -> None:
    value, text = made
    after = added(text, *schools)
    read = parse_document(after.encode(), display="oak.yaml").value
    wanted = [{"sis_id": s.sis_id, "school": s.school, "name": s.name} for s in schools]
    assert read["schools"] == [*value.get("schools", []), *wanted]
    lost = [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line.startswith("- ")]
    assert len(lost) <= 2, "only a line in brackets is changed"


def test_the_largest_district_fits_into_a_file() -> None:
    """2,000 schools, as many as the schema has room for; New York City has some 1,600."""
    schools = [
        SchoolMapping(f"{n:06d}", f"public-school-{n:06d}", f"Public School {n:06d}") for n in range(2000)
    ]
    document = parse_document(added(REST, *schools).encode(), display="oak.yaml")
    assert len(document.value["schools"]) == 2000
    assert schema_problems(document, SCHEMA, file="oak.yaml") == []


def test_a_file_whose_mapper_is_the_fleets_default_takes_schools_too() -> None:
    start = 'district: oak\naccount: "1"\nsftp: {username: u, password: {env: SFTP_OAK_P}}\n'
    assert added(f"{start}sync: {{}}\n") == f"{start}schools:\n{BRACES}sync: {{}}\n"
