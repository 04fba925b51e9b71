"""The quick check and jsonschema give the same verdict on every document."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents.keywords import StrictValidator
from reconciler.documents.node import Unquoted
from reconciler.documents.quick import compile_check
from reconciler.documents.schema import load_schema

VALID: dict[str, Any] = {
    "district": "riverbend-isd",
    "name": "Riverbend ISD",
    "account": "104592",
    "sftp": {
        "host": "sftp.riverbend.example",
        "port": 22,
        "username": "roster",
        "private_key": {"vault": "a#b"},
        "passphrase": {"env": "SFTP_RIVERBEND_ISD_X"},
        "host_key": ["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"],
        "remote_path": ".",
        "file_pattern": "*.csv",
    },
    "mapper": "clever",
    "schools": [{"sis_id": "0042", "school": "lincoln", "name": "Lincoln"}],
    "ignored_schools": ["9999"],
    "sync": {
        "state": "started",
        "schedule": "0 2 * * *",
        "timezone": "UTC",
        "pause": [{"from": "2027-06-01", "until": "2027-08-15"}],
        "settle_minutes": 5,
        "max_removal_percent": 10.5,
        "max_change_percent": 75,
    },
}
ODD = [
    None, True, 0, -1, 65536, 2.5, 22.0, "", "x", "x\n", " x", [], {}, [1], {"a": 1}, {"env": "A"},
    {"env": "a b"}, {"env": "A", "file": "/b"}, {"file": "/b"}, {"age": ""}, {"EVN": "x"}, {"vault": "p"},
    {"env": 1}, "y" * 9000, "2027-02-30", "SHA256:x", ["SHA256:x"], ["x"] * 2001, "0 2 * * *", "stopped",
    Unquoted("0042"), Unquoted("2027-06-01"), Unquoted("2027-02-30"),
    1, 65535, 100, 101, 1440, 1441, "1.2.3.4", "a" * 63, "a" * 64, "a" * 200, "a" * 201,
]  # fmt: skip


def _paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    yield ()
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, member in members:
        yield from ((step, *rest) for rest in _paths(member))


PATHS = [*(path for path in _paths(VALID) if path), ("sftp", "password")]


def changed(edits: list[tuple[tuple[str | int, ...], str, Any]]) -> Any:
    """The valid document with values set, dropped, or added under a misspelt key."""
    document = copy.deepcopy(VALID)
    for path, how, odd in edits:
        parent: Any = document
        for step in path[:-1]:
            in_range = isinstance(parent, dict) and step in parent
            in_range = in_range or (isinstance(parent, list) and isinstance(step, int) and step < len(parent))
            parent = parent[step] if in_range else None
        if isinstance(parent, list) and how == "set":
            parent[0:1] = [odd]
        elif isinstance(parent, dict) and how == "drop":
            parent.pop(path[-1], None)
        elif isinstance(parent, dict):
            parent[path[-1] if how == "set" else f"{path[-1]}x"] = odd
    return document


Edit = tuple[tuple[str | int, ...], str, Any]
_EDITS = st.lists(
    st.tuples(st.sampled_from(PATHS), st.sampled_from(["set", "add", "drop"]), st.sampled_from(ODD))
)


def verdicts(document: Any) -> tuple[bool, bool]:
    schema = load_schema("district.schema.json")
    quick = compile_check(schema)
    assert quick is not None
    return quick(document), StrictValidator(schema).is_valid(document)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_they_agree_on_every_odd_value_in_every_place(path: tuple[str | int, ...]) -> None:
    edits: list[Edit] = [(path, "set", odd) for odd in ODD]
    edits += [(path, "add", "x"), (path, "drop", None)]
    seen = {verdicts(changed([edit])) for edit in edits}
    assert seen <= {(True, True), (False, False)}
    assert (False, False) in seen


@settings(deadline=None)
@given(_EDITS)
def test_they_agree_on_several_odd_values_at_once(edits: list[Edit]) -> None:
    quick, authority = verdicts(changed(edits))
    assert quick is authority


def test_the_sample_of_the_agreement_test_is_valid() -> None:
    assert StrictValidator(load_schema("district.schema.json")).is_valid(VALID)


@pytest.mark.parametrize(
    "schema",
    [
        {"uniqueItems": True},
        {"$ref": "#"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}},
    ],
    ids=["an unknown keyword", "itself", "a circle"],
)
def test_what_the_quick_check_does_not_know_it_leaves_alone(schema: dict[str, Any]) -> None:
    assert compile_check(schema) is None
