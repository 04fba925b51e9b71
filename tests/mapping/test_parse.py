"""From a mapper's document to its model: `repeat` written out, shorthand resolved, one digest a meaning."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.mapping.columns import wanted_columns
from reconciler.mapping.model import Condition, Mapper
from reconciler.mapping.parse import parse_mapper

FILES = {"students": {"pattern": "students.csv"}, "roles": {"pattern": "roles.csv", "delimiter": "\\t"}}


def parse(entity: str, source: Any, **more: Any) -> Mapper:
    return parse_mapper({"name": "m", "files": FILES, "entities": {entity: source}} | more)


def test_a_field_may_be_only_its_column() -> None:
    one = parse("schools", {"from": "students", "fields": {"id": "School"}})
    other = parse("schools", {"from": "students", "fields": {"id": {"column": ["School"]}}})
    assert one.entities == other.entities
    assert one.entities["schools"].sources[0].fields[0].columns == ("School",)


def test_one_of_anything_may_stand_for_a_list_of_it() -> None:
    source = {
        "from": "students",
        "join": {"file": "roles", "on": {"id": "user"}},
        "where": {"column": "Status", "in": ["A"]},
        "fields": {"id": {"column": "Id", "transform": "trim"}},
    }
    listed = source | {
        "join": [source["join"]],
        "where": [source["where"]],
        "fields": {"id": {"column": "Id", "transform": ["trim"]}},
    }
    assert (
        parse("schools", source).entities["schools"].sources
        == parse("schools", listed).entities["schools"].sources
    )


def test_repeat_writes_a_source_out_for_each_combination_in_order() -> None:
    source = {
        "from": "students",
        "repeat": {"n": ["1", "2"], "kind": ["Home", "Work"]},
        "join": {
            "file": "roles",
            "as": "r",
            "on": {"id {n}": "user {n}"},
            "where": {"column": "{kind}", "empty": True},
        },
        "where": {"column": "Contact{n} Name", "equals": "{kind}"},
        "fields": {
            "student": "Id",
            "name": {"template": "{Contact{n} Name} {other}"},
            "phone": "{kind} Phone {n}",
            "priority": {"const": "{n}"},
            "notes": {"const": "{m}"},
            "relationship": {
                "column": "Rel", "transform": {"replace": ["#", "{n}"]}, "map": {"{kind}": "at {kind}"},
                "default": "contact {n}",
            },
        },
    }  # fmt: skip
    sources = parse("contacts", source).entities["contacts"].sources
    fields = [{f.name: f for f in s.fields} for s in sources]
    assert [f["phone"].columns for f in fields] == [
        ("Home Phone 1",), ("Work Phone 1",), ("Home Phone 2",), ("Work Phone 2",),
    ]  # fmt: skip
    assert [f["priority"].const for f in fields] == ["1", "1", "2", "2"]
    assert fields[2]["name"].template == "{Contact2 Name} {other}"
    assert {f["notes"].const for f in fields} == {"{m}"}
    assert fields[3]["relationship"].transform == (("#", "2"),)
    assert fields[3]["relationship"].map == (("Work", "at Work"),)
    assert fields[3]["relationship"].default == "contact 2"
    assert sources[2].where == (Condition("Contact2 Name", "equals", ("Home",)),)
    assert sources[3].joins[0].on == (("id 2", "user 2"),)
    assert sources[3].joins[0].where[0].column == "Work"


def test_a_repeated_value_is_not_looked_into_again() -> None:
    source = {"from": "students", "repeat": {"a": ["{b}"], "b": ["x"]}, "fields": {"id": {"const": "{a}{b}"}}}
    assert parse("schools", source).entities["schools"].sources[0].fields[0].const == "{b}x"


def test_a_list_of_sources_keeps_its_order_and_says_where_each_stands() -> None:
    sources = [
        {"from": "students", "fields": {"id": "a"}},
        {"from": "roles", "prefer": "first", "fields": {"id": "b"}},
    ]
    entity = parse("schools", sources).entities["schools"]
    assert [s.file for s in entity.sources] == ["students", "roles"]
    assert [s.path for s in entity.sources] == ["entities.schools[0]", "entities.schools[1]"]
    assert entity.prefer == "first"


def test_conditions_may_be_said_either_way_round() -> None:
    def one(**condition: Any) -> tuple[Condition, ...]:
        source = {"from": "students", "where": [{"column": "c"} | condition], "fields": {"id": "a"}}
        return parse("schools", source).entities["schools"].sources[0].where

    assert one(not_empty=True) == one(empty=False) == (Condition("c", "not_empty"),)
    assert one(not_empty=False) == one(empty=True) == (Condition("c", "empty"),)
    assert one(**{"not_empty": True, "in": ["a"]}) == (
        Condition("c", "in", ("a",)),
        Condition("c", "not_empty"),
    )


def test_a_tab_may_be_written_as_people_write_it() -> None:
    assert parse("schools", {"from": "roles", "fields": {"id": "a"}}).files["roles"].delimiter == "\t"


def test_split_true_means_commas() -> None:
    source = {"from": "students", "fields": {"id": {"column": "a", "split": True}}}
    assert parse("schools", source).entities["schools"].sources[0].fields[0].split == ","


def test_the_digest_depends_on_what_decides_the_rows_and_on_nothing_else() -> None:
    source = {"from": "students", "fields": {"id": "a", "name": "b"}}
    digest = parse("schools", source).digest
    assert digest == parse("schools", dict(reversed(source.items()))).digest
    assert digest == parse("schools", source, description="new words").digest
    assert digest != parse("schools", source | {"distinct": True}).digest
    assert digest != parse("staff", source).digest


JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
@settings(max_examples=30, deadline=None)
def test_the_digest_of_a_document_survives_being_written_and_read(files: dict[str, Any]) -> None:
    document = {"entities": {"x": files}}
    assert parse_mapper(document).digest == parse_mapper(json.loads(json.dumps(document))).digest


def test_the_columns_that_are_read_of_a_file_are_known() -> None:
    source = {
        "from": "students",
        "join": [
            {"file": "roles", "as": "r", "on": {"Id": "User"}, "where": {"column": "Active", "equals": "1"}},
            {"file": "students", "as": "r.again", "on": {"r.Parent": "Id2"}},
        ],
        "where": [{"column": "r.Role", "not_empty": True}, {"column": "Status", "empty": True}],
        "fields": {
            "id": "Id",
            "name": {"template": "{First} {r.Last}"},
            "type": {"column": ["A", "r.again.B"]},
            "nces_id": "x.y",
        },
    }
    mapper = parse("schools", source)
    assert wanted_columns(mapper, "students") == {"Id", "First", "A", "Status", "Id2", "B", "x.y"}
    assert wanted_columns(mapper, "roles") == {"User", "Active", "Parent", "Role", "Last"}
    assert wanted_columns(mapper, "other") == set()
