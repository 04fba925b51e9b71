"""SECURITY.md names each threat once, with tests that exist, and says what is not defended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| **T")]


def test_it_tells_of_every_threat_in_order() -> None:
    assert [row[0].split("**")[1] for row in ROWS] == [f"T{n}" for n in range(1, 16)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].split("**")[1])
def test_each_defence_is_shown_by_tests_that_are_there(row: list[str]) -> None:
    tests = re.findall(r"`(tests/[^`]+)`", row[2])
    assert tests
    assert [path for path in tests if not (ROOT / path).exists()] == []


def test_it_says_how_to_report_and_which_versions_are_mended() -> None:
    assert "Report a vulnerability" in PAGE
    assert "The newest release gets mends" in PAGE
    assert "://" not in PAGE
