"""Every bad input of the list has its outcome: exit code, stable code, words and place; JSON stays JSON.

Nothing of it leaves a traceback, and no secret is repeated. One row a case; the tables are in `bad_inputs`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.bad_inputs import (
    cli_items,
    mapper_items,
    schema_items,
    sealed_items,
    secret_items,
    yaml_items,
)
from tests.acceptance.bad_inputs.case import Case
from tests.acceptance.world import Done, World

CASES: list[Case] = [
    *yaml_items.CASES,
    *schema_items.CASES,
    *mapper_items.CASES,
    *secret_items.CASES,
    *sealed_items.CASES,
    *cli_items.CASES,
]


@pytest.fixture
def place(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A fleet without districts, its database on SQLite."""
    shutil.copyfile(sqlite_template, tmp_path / "state.db")
    with World(tmp_path, f"sqlite:///{tmp_path / 'state.db'}", monkeypatch) as world:
        yield world


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id) for c in CASES])
def test_a_bad_input_has_its_stated_outcome(case: Case, place: World) -> None:
    case.build(place)

    done = case.way(place, case.command)

    assert done.code == case.exit, done.out + done.err
    _is_decent(done)
    said = done.out + done.err
    assert case.code in said
    assert case.says in said
    assert case.at in said
    if case.json:
        asked = () if "json" in case.command else ("--format", "json")
        _same_in_json(case, case.way(place, (*case.command, *asked)))
    if case.after:
        case.after(place)


def _same_in_json(case: Case, done: Done) -> None:
    assert done.code == case.exit
    _is_decent(done)
    texts, codes = _texts(done.json), _codes(done.json)
    assert not case.code or case.code in codes
    assert any(case.says in text for text in texts)
    assert any(case.at in text for text in [*texts, *_places(done.json)])


def _is_decent(done: Done) -> None:
    said = done.out + done.err
    assert "Traceback" not in said
    assert "canary" not in said.lower()


def _texts(value: Any) -> list[str]:
    """Every text in a JSON document, at any depth."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in _texts(member)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else [json.dumps(value)]


def _codes(document: Any) -> set[str]:
    return {member["code"] for member in _objects(document) if isinstance(member.get("code"), str)}


def _places(document: Any) -> list[str]:
    return [f"{p['file']}:{p['line']}:{p['column']}" for p in _objects(document) if "column" in p]


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(o for member in value.values() for o in _objects(member))]
    return [o for item in value for o in _objects(item)] if isinstance(value, list) else []


def test_every_number_of_the_list_has_a_row() -> None:
    assert {case.number for case in CASES} == {*range(1, 65), *range(145, 155)}
    assert len({case.id for case in CASES}) == len(CASES)
