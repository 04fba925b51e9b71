"""A text is written without quotes only where YAML reads it back as it is."""

from __future__ import annotations

from itertools import product

import pytest
import yaml

from reconciler.authoring.quoting import written

AWKWARD = "0a:?,-.#'\"[]{}&*!|>%@` ~=<"
SHORT = ["".join(it) for count in (1, 2, 3) for it in product(AWKWARD, repeat=count)]


@pytest.mark.parametrize("flow", [True, False], ids=["between braces", "on a line of its own"])
def test_every_short_text_of_awkward_characters_is_read_back(flow: bool) -> None:
    for text in SHORT:
        line = f"name: {written(text, flow=flow)}"
        found = yaml.load(f"{{{line}}}" if flow else line, Loader=yaml.CSafeLoader)
        assert found == {"name": text}, line


@pytest.mark.parametrize("text", ["Lincoln Elementary", "K-8", "St. Mary 2", "a:b", "100% Prep"])
def test_a_plain_text_needs_no_quotes(text: str) -> None:
    assert written(text, flow=True) == text


@pytest.mark.parametrize("text", ["0:?", "Who?", "St. Mary's", "Oak, North", "a: b"])
def test_between_braces_more_needs_them(text: str) -> None:
    assert written(text, flow=True) == f'"{text}"'
