"""An unquoted scalar is a number, true, false or null in one plain form each; all else is its text."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.documents.node import Unquoted
from reconciler.documents.reader import parse_document
from reconciler.documents.scalars import reading_of, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("22", 22),
        ("-3", -3),
        ("2.5", 2.5),
        ("-0.25", -0.25),
        ("2.0", 2.0),
    ],
)
def test_these_have_a_meaning(text: str, value: Any) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


AMBIGUOUS: list[str] = (  # noqa: SIM905 - a row of words reads better
    "0042 007 0899 0x1F 0b11 0o17 1_000 22:22 1:30:00 1e3 1E5 1.5e3 +5 -0 .5 5. .inf .NaN -.inf "
    "yes no on off y n Y N YES No ON True FALSE Null NULL 2024-01-01 2024-02-30 = << 00"
).split()


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_what_other_readers_would_change_keeps_its_text_and_is_marked(text: str) -> None:
    assert resolve(text) == text
    assert isinstance(resolve(text), Unquoted)


@pytest.mark.parametrize(
    "text",
    ["Riverbend ISD", "oneroster-1.1", "104592a", "sftp.example", "127.0.0.1", "2001:db8::1", "-", "12-34",
     "nope", "SHA256:0", "#1", "1.2.3", "yes please", "*.csv", "/data/uploads/"],
)  # fmt: skip
def test_plain_text_is_not_marked(text: str) -> None:
    assert type(resolve(text)) is str


@settings(deadline=None)
@given(st.text("0123456789abcdefxo.:_-+eEyYnNT~ ", min_size=1, max_size=12) | st.sampled_from(AMBIGUOUS))
def test_no_text_that_yaml_would_change_passes_unmarked(text: str) -> None:
    assume(text == text.strip())
    try:
        other: Any = yaml.safe_load(f"[{text}]")
    except (yaml.YAMLError, ValueError):
        return
    assume(isinstance(other, list) and len(other) == 1 and not isinstance(other[0], dict))
    if not isinstance(other[0], str):
        assert type(resolve(text)) is not str


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0042", "the number 34"),
        ("22:22", "the number 1342"),
        ("no", "false"),
        ("on", "true"),
        ("null", "no value at all"),
        ("2024-01-01", "the date 2024-01-01"),
        ("1e3", "a number"),
        ("2024-02-30", "something other than text"),
        ("=", "something other than text"),
    ],
)
def test_what_yaml_reads_is_said_in_words(text: str, words: str) -> None:
    assert reading_of(text) == words


@pytest.mark.parametrize(
    "written", ['"{}"', "'{}'", "|-\n  {}", ">-\n  {}"], ids=["double", "single", "|", ">"]
)
@pytest.mark.parametrize("text", AMBIGUOUS)
def test_quotes_and_blocks_make_it_text(written: str, text: str) -> None:
    value = parse_document(f"a: {written.format(text)}\n".encode(), display="x.yaml").value["a"]
    assert value == text
    assert type(value) is str
