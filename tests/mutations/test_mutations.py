"""The mutations fit the code as it is. Whether the tests notice them, `make mutations` shows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutations.mutation import ROOT, Mutation, read_mutations

MUTATIONS = read_mutations()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_the_check_is_there_and_can_be_taken_out(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    mutated = mutation.applied_to(text)
    assert mutated != text
    if mutation.file.endswith(".py"):
        ast.parse(mutated)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_the_tests_that_have_to_notice_are_there(mutation: Mutation) -> None:
    for test in mutation.tests:
        file, _, names = test.partition("::")
        function = names.partition("[")[0].rpartition("::")[2]
        assert (
            f"def {function}(" in (ROOT / file).read_text(encoding="utf-8")
            if names
            else (ROOT / file).exists()
        )


def test_a_check_that_stands_twice_cannot_be_taken_out_by_mistake(tmp_path: Path) -> None:
    mutation = Mutation("m", "G1", "", "a.py", "check()", "pass", ())
    for text in ("", "check()\ncheck()\n"):
        with pytest.raises(ValueError, match="not once"):
            mutation.applied_to(text)
