"""JSON is read as the standard library reads it, with positions, and stricter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents.reader import parse_document
from reconciler.errors import ConfigError

_TEXT = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")))
_NUMBERS = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(value=_VALUES, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
def test_json_reads_back_as_it_was_written(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps({"v": value}, indent=indent, ensure_ascii=ascii_only)
    assert parse_document(text.encode(), display="x.json").value == {"v": value}


def test_every_value_and_key_has_its_position() -> None:
    text = '{\n  "a": [1, {"b": "x"}],\n\t"😀": "\\ud83d\\ude00"\n}\n'
    document = parse_document(text.encode(), display="x.json")
    assert document.position(("a", 1, "b")) == (2, 18)
    assert document.position(("a", 1, "b"), key=True) == (2, 13)
    assert document.position(("😀",)) == (3, 7)
    assert document.value["😀"] == "😀"


def test_a_position_that_is_not_there_is_that_of_its_nearest_parent() -> None:
    document = parse_document(b'{"a":\n [1]}', display="x.json")
    assert document.position(("a", 7, "b")) == (2, 2)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"a": 1,}', (1, 9), "a comma stands before the closing bracket"),
        ("[1, 2,]", (1, 7), "a comma stands before the closing bracket"),
        ("{'a': 1}", (1, 2), "a key in double quotes is expected here"),
        ("{a: 1}", (1, 2), "a key in double quotes is expected here"),
        ('{"a" 1}', (1, 6), ": is expected here"),
        ('{"a": 1 "b": 2}', (1, 9), "a comma or } is expected here"),
        ("[1 2]", (1, 4), "a comma or ] is expected here"),
        ('{"a": }', (1, 7), "a value is expected here"),
        ('{"a": NaN}', (1, 7), "a value is expected here"),
        ('{"a": -Infinity}', (1, 7), "a value is expected here"),
        ('{"a": True}', (1, 7), "a value is expected here"),
        ('{"a": 0042}', (1, 8), "a comma or } is expected here"),
        ('{"a": "x}', (1, 7), "a text in quotes is not closed, or holds a bad escape"),
        ('{"a": "\\q"}', (1, 8), "a text in quotes is not closed, or holds a bad escape"),
        ('{"a": "x\ty"}', (1, 9), "a text in quotes is not closed, or holds a bad escape"),
        ('{"a": 1} // note', (1, 10), "text follows where the document has ended"),
        ('{"a": 1e999}', (1, 7), "a number is too large"),
        ('{"a": [1', (1, 9), "a comma or ] is expected here"),
        ("[" * 1_000_000, (1, 21), "is nested deeper than 20 levels"),
        ('{"a": "\\ud800"}', (1, 7), "U+D800 control character is not allowed: it hides or changes what a "
         "reader sees"),
        ("  \n", (0, 0), "is empty"),
    ],
)  # fmt: skip
def test_what_is_not_json_says_where_and_why(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(text.encode(), display="x.json", max_bytes=2**20)
    (problem,) = caught.value.problems
    assert ((problem.line, problem.column), problem.message) == (place, message)


def test_equal_keys_are_refused_with_both_lines() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(b'{"a": {"b": 1,\n "b": 2}}', display="x.json")
    (problem,) = caught.value.problems
    assert (problem.code, problem.path, problem.line, problem.column) == ("config.duplicate", "a.b", 2, 2)
    assert problem.message == 'the key "b" is written twice: first on line 1'


@settings(deadline=None)
@given(st.text('{}[]:,"\\ 0a-', max_size=40))
def test_it_takes_exactly_what_the_standard_library_takes(text: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("twice")
        return dict(pairs)

    try:
        expected = json.loads(text, object_pairs_hook=once)
    except ValueError:
        with pytest.raises(ConfigError):
            parse_document(text.encode(), display="x.json")
    else:
        assert parse_document(text.encode(), display="x.json").value == expected
