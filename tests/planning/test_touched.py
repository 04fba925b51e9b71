"""Which districts a branch touches, by the files that it changes."""

from __future__ import annotations

import pytest

from reconciler.errors import Problem
from reconciler.planning.touched import Use, touched

EXTENDS = {"acme": "base", "acme-north": "acme"}


def problem(code: str, file: str = "districts/elm.yaml") -> Problem:
    return Problem(code, "error", file, 1, 1, "", "")


USES = {
    "ash": Use("districts/tx/ash.yaml", frozenset({"acme"})),
    "elm": Use("districts/elm.yaml", frozenset({"generic"}), (problem("config.duplicate"),)),
    "fir": Use("districts/fir.yaml", frozenset({"acme-north"})),
    "gone": Use("", frozenset({"base"})),
    "lost": Use("districts/lost.yaml", frozenset(), (problem("config.reference", "districts/lost.yaml"),)),
    "oak": Use("districts/Grüße und mehr/oak.yaml", frozenset({"generic", "old"})),
}
CASES = {
    "nothing": ([], []),
    "a district's file": (["districts/tx/ash.yaml"], ["ash"]),
    "a name with spaces": (["districts/Grüße und mehr/oak.yaml"], ["oak"]),
    "a file that is gone": (["districts/old/gone.yaml"], ["gone"]),
    "a file that is gone from one folder and in another": (["districts/ash.yaml"], ["ash"]),
    "a file of another ending": (["districts/fir.yml"], ["fir"]),
    "a name in capitals": (["districts/FIR.yaml"], ["fir"]),
    "a folder that is one thing to git": (["districts/tx"], ["ash"]),
    "no district's file": (["districts/README.md", "mappers/README.md"], []),
    "a mapper": (["mappers/acme-north.json"], ["fir"]),
    "a mapper that others extend": (["mappers/acme.json"], ["ash", "fir"]),
    "a mapper that others extend, in two steps": (["mappers/base.yaml"], ["ash", "fir", "gone"]),
    "a mapper that was applied last": (["mappers/old.json"], ["oak"]),
    "an approval": (["approvals/ash/5f1c.yaml"], ["ash"]),
    "what lies beside the approvals": (["approvals/README.md", "approvals/nobody/5f1c.yaml"], []),
    "a district that nobody knows": (["districts/new.yaml"], []),
}


@pytest.mark.parametrize(("changed", "found"), CASES.values(), ids=CASES)
def test_a_changed_file_touches(changed: list[str], found: list[str]) -> None:
    certain = {name: Use(use.file, use.mappers) for name, use in USES.items()}
    assert sorted(touched(changed, certain, EXTENDS) or ()) == found


def test_the_fleets_settings_touch_every_district() -> None:
    assert touched(["districts/elm.yaml", "reconciler.yaml"], USES, EXTENDS) is None


FOLLOWING = {
    "another district may have taken its account": (["districts/new.yaml"], ["elm"]),
    "its mapper may be gone": (["mappers/other.json"], ["lost"]),
    "nothing else can be why": (["README.md"], []),
}


@pytest.mark.parametrize(("changed", "found"), FOLLOWING.values(), ids=FOLLOWING)
def test_a_refused_district_is_touched_where_the_branch_may_be_the_reason(
    changed: list[str], found: list[str]
) -> None:
    assert sorted(touched(changed, USES, EXTENDS) or ()) == found


def test_mappers_that_extend_each_other_in_a_circle_end() -> None:
    uses = {"oak": Use("districts/oak.yaml", frozenset({"b"}))}
    assert touched(["mappers/a.json"], uses, {"a": "b", "b": "a"}) == {"oak"}
