"""The tests that built-in mappers carry, run as a mapper's own tests are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.mapping.entities import RIGHTS
from reconciler.mapping.library import builtin, builtin_names
from tests.roster.running import Outcome, resolve

CARRIED = [
    pytest.param(name, test, id=f"{name}: {test['name']}")
    for name in builtin_names()
    for test in (getattr(builtin(name).mapper, "document", None) or {}).get("tests", ())
]


def plain(row: Mapping[str, Any]) -> dict[str, str]:
    """A row without empty fields, rights that are unknown, and ids that were made."""
    filled = {k: str(v) for k, v in row.items() if v and not (k in RIGHTS and v == "unknown")}
    made = [k for k in ("id", "contact") if filled.get(k, "").startswith("c-")]
    return {k: v for k, v in filled.items() if k not in made}


def in_order(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: sorted(row.items()))


def rejected(result: Outcome, entity: str) -> int:
    return result.counts[entity].rejected


@pytest.mark.parametrize(("mapper", "test"), CARRIED)
def test_a_built_in_gives_what_its_own_tests_expect(mapper: str, test: Mapping[str, Any]) -> None:
    result = resolve(mapper, {file: "\n".join(lines) + "\n" for file, lines in test["files"].items()})
    for entity, expected in test["expect"].items():
        assert in_order([plain(r) for r in result.rows[entity]]) == in_order([plain(r) for r in expected])
        assert rejected(result, entity) == test.get("rejected", {}).get(entity, 0)
