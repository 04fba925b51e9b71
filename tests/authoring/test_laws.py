"""Whatever is written down, and however: `fmt` keeps what it says, every comment, and its own form."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import ruamel.yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.authoring.comments import comments_of
from reconciler.authoring.formatting import format_text
from reconciler.config.district import District
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import load_schema, schema_problems
from tests.authoring.handwriting import Hand, districts

SCHEMA = load_schema("district.schema.json")


def formatted(text: str) -> str:
    return format_text(text.encode(), file="oak.yaml", schema=SCHEMA)


def said(text: str) -> District:
    document = parse_document(text.encode(), display="oak.yaml")
    assert schema_problems(document, SCHEMA, file="oak.yaml") == []
    return District.from_json(document.value)


@st.composite
def handwritten(draw: st.DrawFn) -> tuple[dict[str, Any], str, list[str]]:
    value = draw(districts())
    hand = Hand(draw)
    return value, hand.write(value), hand.comments


@settings(max_examples=120, deadline=None)
@given(handwritten())
def test_a_formatted_file_says_the_same_and_keeps_its_comments(
    made: tuple[dict[str, Any], str, list[str]],
) -> None:
    value, text, comments = made
    after = formatted(text)
    assert said(after) == said(text) == District.from_json(value)
    assert Counter(comments_of(after)) == Counter(comments)
    assert formatted(after) == after
    # Another library of YAML reads the same.
    ruamel_reader = ruamel.yaml.YAML(typ="safe", pure=True)
    read = ruamel_reader.load(after)
    assert {key: read[key] for key in ("name", "account", "sftp", "schools") if key in read} == {
        key: value[key] for key in ("name", "account", "sftp", "schools") if key in value
    }


@settings(max_examples=50, deadline=None)
@given(handwritten())
def test_a_formatted_file_has_one_form(made: tuple[dict[str, Any], str, list[str]]) -> None:
    after = formatted(made[1])
    keys = re.findall(r"^(\w+):", after, flags=re.MULTILINE)
    assert keys == [key for key in SCHEMA["properties"] if key in keys]
    assert after.endswith("\n")
    assert not after.endswith("\n\n")
    assert "\n\n\n" not in after
    assert re.search(r"[ \t]$", after, flags=re.MULTILINE) is None
    assert re.search(r"\b(account|sis_id): [^\"]", re.sub(r"#.*|\"[^\"]*\"", '"', after)) is None


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_ends_and_a_byte_order_mark_become_plain(ending: str) -> None:
    text = f"\ufeffname: Oak{ending}district: oak{ending}{ending}{ending}"
    assert formatted(text) == "district: oak\nname: Oak\n"
