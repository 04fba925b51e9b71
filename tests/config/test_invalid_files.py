"""Each file in invalid/ is a district with something wrong; its .txt is exactly what its author is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.config.fleet import load_fleet
from reconciler.errors import Problem

CASES = Path(__file__).parent / "invalid"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))
MAPPERS = ("clever", "oneroster-1.1", "oneroster-1.2")


def render(problem: Problem) -> str:
    hint = f" ({problem.hint})" if problem.hint else ""
    place = f"{problem.file}:{problem.line}:{problem.column}"
    return f"{place} {problem.severity} {problem.code} {problem.path}: {problem.message}{hint}"


def rendered(case: str, root: Path) -> str:
    (root / "districts").mkdir()
    shutil.copy(CASES / f"{case}.yaml", root / "districts" / "riverbend-isd.yaml")
    fleet = load_fleet(root, mappers=MAPPERS)
    assert "riverbend-isd" in fleet.refused
    assert fleet.districts == {}
    return "".join(f"{render(problem)}\n" for problem in fleet.problems)


@pytest.mark.parametrize("case", NAMES)
def test_an_invalid_file_is_refused_with_exactly_these_words(case: str, tmp_path: Path) -> None:
    expected = (CASES / f"{case}.txt").read_text(encoding="utf-8")
    assert rendered(case, tmp_path) == expected


@pytest.mark.parametrize("case", NAMES)
def test_no_message_repeats_a_misplaced_secret(case: str) -> None:
    told = (CASES / f"{case}.txt").read_text(encoding="utf-8")
    assert "hunter" not in told
    assert "12345678" not in told


def test_every_expectation_has_its_file() -> None:
    assert sorted(path.stem for path in CASES.glob("*.txt")) == NAMES
    assert len(NAMES) > 60
