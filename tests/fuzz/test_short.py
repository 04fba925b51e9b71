"""A short form of `make fuzz`: the seeds, and the same mutated inputs each time, keep every promise."""

from __future__ import annotations

from types import ModuleType

import pytest

from reconciler.errors import RosterError
from tests.fuzz import file_names, mapper_files, rosters, yaml_files
from tests.fuzz.mutate import mutated
from tests.fuzz.oracles import (
    CANARY,
    BrokenPromiseError,
    expect_good_error,
    expect_no_canary,
    expect_showable,
)

TARGETS = [
    pytest.param(yaml_files, 150, id="yaml"),
    pytest.param(mapper_files, 60, id="mappers"),
    pytest.param(rosters, 60, id="rosters"),
    pytest.param(file_names, 60, id="file-names"),
]


@pytest.mark.parametrize(("target", "inputs"), TARGETS)
def test_neither_a_seed_nor_what_a_hostile_hand_makes_of_it_breaks_a_promise(
    target: ModuleType, inputs: int
) -> None:
    for data in (*target.SEEDS, *(mutated(number, target.SEEDS, target.WORDS) for number in range(inputs))):
        target.check(data)


def test_a_promise_that_is_broken_is_seen() -> None:
    with pytest.raises(BrokenPromiseError):
        expect_showable(["\x1b[2J"])
    with pytest.raises(BrokenPromiseError):
        expect_no_canary([f"the row of {CANARY}"], "a child's data")
    with pytest.raises(BrokenPromiseError):
        expect_good_error(RosterError("ValueError while the files were read", code="csv.failed"))
