"""A source and the files at hand: which rows are read, and what comes of columns and files that lack."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import MapperError, RosterError
from tests.roster.running import Outcome, make_mapper, open_roster, resolve, simple_mapper

HEADER = "id,school,first,last"


def run(source: dict[str, Any], students: str, extra: str | None = None, entity: str = "students") -> Outcome:
    """Rows of one entity; `source` is laid over the plain source of students."""
    document = simple_mapper()
    if entity == "students":
        fields = document["entities"]["students"]["fields"] | source.pop("fields", {})
        document["entities"]["students"] |= source | {"fields": fields}
    else:
        document["entities"][entity] = {"from": "students"} | source
    files = {"students.csv": students} | ({} if extra is None else {"extra.csv": extra})
    return resolve(document, files)


def names(source: dict[str, Any], students: str) -> dict[str, str]:
    """The schools, id to name, that a source of schools reads: nothing need be judged for that."""
    document = simple_mapper()
    document["entities"] = {"schools": {"from": "students"} | source}
    with open_roster(make_mapper(document), {"students.csv": students}) as roster:
        return {school.sis_id: school.name for school in roster.schools()}


# -- columns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "id,school,first,last",
        "ID,School,FIRST,Last",
        '" id ",school , first,last\u00a0',
        "\ufeffid,school,first,last",
    ],
)
def test_a_column_is_found_by_its_name_whatever_its_case_and_the_space_around_it(header: str) -> None:
    assert run({}, f"{header}\n1,A,Ann,Lee\n").ids() == ["1"]


def test_the_exact_spelling_counts_before_the_loose_one() -> None:
    assert run({}, "ID,id,school,first,last\nx,1,A,Ann,Lee\n").ids() == ["1"]


def test_a_column_that_no_file_has_is_an_error_with_the_nearest_name_and_what_there_is() -> None:
    with pytest.raises(MapperError) as raised:
        run({}, "id,school,frist,last\n1,A,Ann,Lee\n")
    error = raised.value
    assert error.code == "mapper.column"
    assert "students.csv" in error.message
    assert "'first'" in error.message
    assert "which entities.students.fields.first_name reads" in error.message
    assert "did you mean 'frist'?" in error.hint
    assert "'school'" in error.hint
    assert "Ann" not in error.message + error.hint


@pytest.mark.parametrize(
    ("column", "there", "hint"),
    [
        ("Student Number", "STUDENT_NUMBER", "did you mean 'STUDENT_NUMBER'?"),
        ("Last Name", "Room", "did you mean 'last'?"),
        ("Guardian Phone", "Guardian 1 Phone,Guardian 2 Phone",
         "did you mean 'Guardian 1 Phone' or 'Guardian 2 Phone'?"),
        ("Teacher", "Room", "did you mean 'extra.Teacher'?"),
        ("homeroom.Teacher", "Room", "did you mean 'extra.Teacher'?"),
        ("Blood Type", "Room", "students.csv has: 'id'"),
    ],
    ids=["in another case", "a part of it", "two as near", "of a joined file", "of another file", "none"],
)  # fmt: skip
def test_what_was_meant_is_told(column: str, there: str, hint: str) -> None:
    join = {"file": "extra", "on": {"id": "id"}, "take": "first"}
    cells = ",x" * (there.count(",") + 1)
    with pytest.raises(MapperError) as raised:
        run(
            {"join": join, "fields": {"grade": column}},
            f"{HEADER},{there}\n1,A,Ann,Lee{cells}\n",
            "id,Teacher\n",
        )
    assert raised.value.hint.startswith(hint)


@pytest.mark.parametrize("cell", ["0042", "2013-04-05", "555-123-4567", "ann@x.example"])
def test_a_first_line_with_data_in_it_is_shown_to_nobody(cell: str) -> None:
    with pytest.raises(MapperError) as raised:
        run({"fields": {"grade": "Ana"}}, f"{HEADER},{cell},Anna Lee\n1,A,Ann,Lee,x,y\n")
    assert "some of it looks like data" in raised.value.hint
    assert "Anna" not in raised.value.message + raised.value.hint


JOIN = {"file": "extra", "on": {"id": "id"}}


@pytest.mark.parametrize(
    ("source", "extra"),
    [
        pytest.param({"fields": {"grade": {"column": ["Gr", "Grade"]}}}, None, id="of several names"),
        pytest.param({"fields": {"grade": {"template": "{Gr} {last}"}}}, None, id="in a template"),
        pytest.param({"fields": {"grade": {"template": "{0.__class__}"}}}, None, id="in a prying template"),
        pytest.param({"where": {"column": "Status", "empty": True}}, None, id="in a condition"),
        pytest.param({"join": {"file": "extra", "on": {"key": "id"}}}, "id\n", id="on the left of a join"),
        pytest.param({"join": JOIN | {"on": {"id": "key"}}, "fields": {"grade": "extra.id"}}, "id\n",
                     id="on the right of a join"),
        pytest.param({"join": JOIN | {"where": {"column": "x", "empty": True}}}, "id\n",
                     id="in the condition of a join"),
        pytest.param({"join": {"file": "extra", "on": {"id": "id"}}, "fields": {"grade": "extra.Gr"}}, "id\n",
                     id="of a joined file"),
        pytest.param({"join": {"file": "extra", "on": {"ids": "id"}, "split": ","}}, "id\n", id="of a list"),
    ],
)  # fmt: skip
def test_a_column_is_missed_wherever_it_is_read(source: dict[str, Any], extra: str | None) -> None:
    with pytest.raises(MapperError) as raised:
        run(source, f"{HEADER}\n1,A,Ann,Lee\n", extra)
    assert raised.value.code == "mapper.column"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"fields": {"grade": {"column": "Gr", "optional": True}}}, id="a field"),
        pytest.param({"fields": {"grade": {"template": "{Gr}", "optional": True}}}, id="a template"),
        pytest.param({"where": {"column": "Status", "not_in": ["X"], "optional": True}}, id="a condition"),
        pytest.param(
            {"join": {"file": "extra", "on": {"id": "key"}}, "fields": {"grade": "extra.Gr"}}, id="a file"
        ),
    ],
)
def test_what_is_optional_may_be_missing_and_reads_as_empty(source: dict[str, Any]) -> None:
    result = run(source, f"{HEADER}\n1,A,Ann,Lee\n")
    assert [(row["id"], row["grade"]) for row in result.students] == [("1", None)]


def test_a_source_that_is_optional_has_no_rows_where_its_columns_are_missing() -> None:
    source = {"optional": True, "fields": {"student": "id", "name": "Contact"}}
    assert run(source, f"{HEADER}\n1,A,Ann,Lee\n", entity="contacts").contacts == []
    assert len(run(source, f"{HEADER},contact\n1,A,Ann,Lee,Pat Lee\n", entity="contacts").contacts) == 1


def test_a_column_that_is_read_and_stands_twice_is_an_error_and_one_that_is_not_read_is_none() -> None:
    with pytest.raises(RosterError) as raised:
        run({}, "id,school,first,Last,LAST\n1,A,Ann,Lee,Ray\n")
    assert raised.value.code == "csv.header"
    assert "2 times" in raised.value.message
    assert run({}, f"{HEADER},x,x,,\n1,A,Ann,Lee,a,b,,\n").ids() == ["1"]


# -- fields -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "cells", "expected"),
    [
        pytest.param({"column": ["a", "b"]}, "x,y", "x", id="the first column that is not empty"),
        pytest.param({"column": ["a", "b"]}, ",y", "y", id="else the next"),
        pytest.param({"column": ["c", "b"]}, ",y", "y", id="of several names only one need be there"),
        pytest.param({"const": "z"}, "x,y", "z", id="a constant"),
        pytest.param({"const": ""}, "x,y", None, id="an empty constant"),
        pytest.param({"template": "{a}-{b}"}, "x,y", "x-y", id="a template"),
        pytest.param({"template": "{a} {b} {a}"}, "x,y", "x y x", id="a column twice"),
        pytest.param({"template": "{a} ({b}) {A}"}, "x,", "x () x", id="one column is empty"),
        pytest.param({"template": "no {a} {b}"}, ",", None, id="all columns are empty"),
        pytest.param({"template": "{a}  {b}"}, "x,", "x", id="space that an empty column leaves is closed"),
        pytest.param({"template": "{a}{b}"}, "{b},y", "{b}y", id="braces in a cell are text"),
        pytest.param({"template": "{}{a}"}, "x,y", "{}x", id="braces around nothing are text"),
        pytest.param({"template": "plain"}, "x,y", "plain", id="a template without a column"),
        pytest.param(
            {"column": "a", "split": ";", "item": "first"}, " ; x ;y,", "x", id="the first of a list"
        ),
        pytest.param(
            {"column": "a", "split": ";", "item": "first"}, ";,", None, id="the first of an empty list"
        ),
    ],
)
def test_what_a_field_is_made_of(field: dict[str, Any], cells: str, expected: str | None) -> None:
    assert names({"fields": {"id": "id", "name": field}}, f"id,a,b\n1,{cells}\n") == {"1": expected or ""}


def test_a_list_makes_one_row_for_each_item_that_is_not_empty() -> None:
    source = {"fields": {"student": "id", "contact": {"column": "agents", "split": ";"}}}
    contacts = {"from": "students", "fields": {"id": {"const": "c1"}, "name": {"const": "Pat Lee"}}}
    document = simple_mapper(relationships={"from": "students"} | source, contacts=contacts)
    students = f"{HEADER},agents\n1,A,Ann,Lee, c1 ;;c2;\n2,A,Bob,Ray,\n3,A,Cy,Kay,;\n"
    result = resolve(document, {"students.csv": students})
    assert result.ids("relationships") == ["1-c1"]
    assert result.counts["relationships"].rejected == 1
    assert result.counts["relationships"].read == 2


def test_a_child_whose_list_of_schools_is_empty_is_rejected_and_does_not_vanish() -> None:
    source = {"fields": {"school": {"column": "school", "split": ","}}}
    result = run(source, f'{HEADER}\n1,A,Ann,Lee\n2,,Bob,Ray\n3," , ",Cy,Kay\n4,"Z,",Di,Lo\n')
    assert result.ids() == ["1", "4"]
    assert result.rejected() == [
        ("students", 3, "row.required", "school"),
        ("students", 4, "row.required", "school"),
    ]


# -- conditions ---------------------------------------------------------------------------------------------

STATUS = f"{HEADER},status\n1,A,Ann,Lee,Active\n2,A,Bob,Ray,active\n3,A,Cy,Kay,Gone\n4,A,Di,Lo,\n"


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ({"in": ["Active", "x"]}, "1"),
        ({"in": ["ACTIVE"], "ignore_case": True}, "12"),
        ({"in": []}, ""),
        ({"in": [""]}, ""),
        ({"not_in": ["Active"]}, "234"),
        ({"not_in": ["ACTIVE"], "ignore_case": True}, "34"),
        ({"not_in": []}, "1234"),
        ({"equals": "Active"}, "1"),
        ({"equals": ""}, "4"),
        ({"equals": "aCTIVE", "ignore_case": True}, "12"),
        ({"not_equals": "Active"}, "234"),
        ({"not_equals": ""}, "123"),
        ({"not_empty": True}, "123"),
        ({"not_empty": False}, "4"),
        ({"empty": True}, "4"),
        ({"matches": "[Aa]ctive"}, "12"),
        ({"matches": "ctive"}, ""),
        ({"matches": r"\D+", "ignore_case": True}, "123"),
        ({"matches": "G[A-Z]+", "ignore_case": True}, "3"),
        ({"matches": ".*"}, "123"),
        ({"not_empty": True, "not_in": ["Gone"]}, "12"),
        ({"equals": "' OR ''='"}, ""),
    ],
)
def test_a_condition(condition: dict[str, Any], ids: str) -> None:
    source = {"where": {"column": "status"} | condition, "fields": {"id": "id"}}
    assert "".join(names(source, STATUS)) == ids


def test_all_conditions_must_hold() -> None:
    where = [{"column": "status", "not_empty": True}, {"column": "id", "in": ["1", "4"]}]
    assert run({"where": where}, STATUS).ids() == ["1"]


def test_a_pattern_that_would_run_for_ever_elsewhere_is_over_at_once() -> None:
    evil = f"{HEADER},status\n1,A,Ann,Lee,{'a' * 100_000}!\n"
    assert run({"where": {"column": "status", "matches": "(a+)+"}}, evil).ids() == []


# -- joins and repeat ---------------------------------------------------------------------------------------

ROLES = "user,school,main\n1,B,\n1,C,yes\n1,D,yes\n3,,\n"


@pytest.mark.parametrize(
    ("join", "school"),
    [
        pytest.param({}, "B", id="the first row of the joined file"),
        pytest.param({"where": {"column": "main", "equals": "yes"}}, "C", id="the first that may"),
    ],
)  # fmt: skip
def test_a_join_brings_in_another_file_and_rows_without_a_match_stay(
    join: dict[str, Any], school: str
) -> None:
    source = {
        "join": {"file": "extra", "as": "role", "on": {"id": "user"}, "take": "first"} | join,
        "fields": {"homeroom": "role.school"},
    }
    result = run(source, f"{HEADER}\n1,A,Ann,Lee\n2,A,Bob,Ray\n3,A,Cy,Kay\n", ROLES)
    assert {row["id"]: row["homeroom"] for row in result.students} == {"1": school, "2": None, "3": None}


def test_a_join_of_all_rows_makes_a_row_for_each() -> None:
    source = {"join": {"file": "extra", "on": {"id": "user"}}, "fields": {"id": "id", "name": "extra.school"}}
    result = run(source, f"{HEADER}\n1,A,Ann,Lee\n2,A,Bob,Ray\n", ROLES, entity="schools")
    assert result.counts["schools"].read == 4


def test_a_join_on_two_columns_needs_both_to_be_equal() -> None:
    join = {"file": "extra", "on": {"id": "user", "school": "school"}}
    source = {"join": join, "fields": {"homeroom": "extra.main"}}
    result = run(source, f"{HEADER}\n1,C,Ann,Lee\n2,C,Bob,Ray\n", ROLES)
    assert {row["id"]: row["homeroom"] for row in result.students} == {"1": "yes", "2": None}


@pytest.mark.parametrize(
    ("ignore_case", "found"),
    [
        pytest.param(False, {"1": "B", "2": None}, id="by default letter case counts"),
        pytest.param(True, {"1": "B", "2": "B"}, id="unless it is said not to"),
    ],
)
@pytest.mark.parametrize("split", [{}, {"split": ";"}], ids=["a column", "a list"])
def test_letter_case_in_a_join(
    ignore_case: bool, found: dict[str, str | None], split: dict[str, str]
) -> None:
    join = {"file": "extra", "on": {"mail": "mail"}, "take": "first", "ignore_case": ignore_case} | split
    source = {"join": join, "fields": {"homeroom": "extra.room"}}
    students = f"{HEADER},mail\n1,A,Ann,Lee,m@x.example\n2,A,Bob,Ray,M@X.example\n"
    result = run(source, students, "mail,room\nm@x.example,B\nM@x.EXAMPLE,C\n")
    assert {row["id"]: row["homeroom"] for row in result.students} == found


def test_each_item_of_a_list_may_be_looked_up() -> None:
    source = {
        "join": {"file": "extra", "as": "org", "on": {"school": "id"}, "split": ";", "take": "first",
                 "where": {"column": "kind", "equals": "school"}},
        "fields": {"school": {"column": ["org.id", "school"]}},
    }  # fmt: skip
    orgs = "id,kind\nD,district\nA,school\nB,school\n"
    result = run(source, f"{HEADER}\n1,D; B ;A,Ann,Lee\n2,D,Bob,Ray\n", orgs)
    assert [row["school"] for row in result.students] == ["B", "D"]


def test_a_list_is_looked_up_only_from_the_sources_own_file() -> None:
    join = [
        {"file": "extra", "on": {"id": "user"}},
        {"file": "students", "as": "other", "on": {"extra.school": "school"}, "split": ","},
    ]
    with pytest.raises(MapperError) as raised:
        run({"join": join}, f"{HEADER}\n1,A,Ann,Lee\n", ROLES)
    assert raised.value.code == "mapper.schema"


def test_repeat_reads_wide_contacts_as_rows_and_an_empty_slot_is_no_contact() -> None:
    source = {
        "repeat": {"n": ["1", "2"]},
        "where": {"column": "C{n}", "not_empty": True},
        "fields": {"student": "id", "name": "C{n}", "priority": {"const": "{n}"}, "may_pick_up": "P{n}"},
    }
    students = f"{HEADER},C1,P1,C2,P2\n1,A,Ann,Lee,Pat Lee,Y,Mo Lee,N\n2,A,Bob,Ray,,Y,Jo Ray,\n"
    result = run(source, students, entity="contacts")
    found = {(r["student"], r["name"]): (r["priority"], r["may_pick_up"]) for r in result.contacts}
    assert found == {
        ("1", "Pat Lee"): ("1", "yes"),
        ("1", "Mo Lee"): ("2", "no"),
        ("2", "Jo Ray"): ("2", "unknown"),
    }


def test_distinct_folds_rows_that_are_equal_before_they_are_counted() -> None:
    fields = {"id": "school", "name": "last"}
    students = f"{HEADER}\n1,A,Ann,Lee\n2,A,Bob,Lee\n3,A,Cy,\n"
    assert run({"distinct": True, "fields": fields}, students, entity="schools").counts["schools"].read == 2
    assert run({"fields": fields}, students, entity="schools").counts["schools"].read == 3
