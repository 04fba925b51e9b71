"""Which ids of schools are spellings of one, and which are schools of their own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.school_ids import near_miss, same_school_id, same_school_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42", "0042"), ("SHS", "shs"), ("Sch_000002", "Sch_S00002"), ("s 42", "S42"), ("A-07", "A7"),
        ("lincoln-el", "lincoln_el"), ("0", "000"), ("LincolnES", "LincolnE"),
    ],
)  # fmt: skip
def test_spellings_of_one_id(one: str, other: str) -> None:
    assert same_school_id(one, other)
    assert near_miss(one, [other, "900", "zz"]) == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42", "43"), ("1000042", "1000043"), ("42", "420"), ("42", "4-2"), ("SHS", "NHS"), ("A7", "7"),
        ("", "0"), ("E42", "M42"), ("42", "42"),
    ],
)  # fmt: skip
def test_ids_that_are_not_spellings_of_each_other(one: str, other: str) -> None:
    assert not same_school_id(one, other)


def test_of_several_near_ids_the_one_that_differs_least_is_meant_and_of_equals_none() -> None:
    assert near_miss("Sch_2", ["Sch_S2", "SCH_0002"]) == "SCH_0002"
    assert near_miss("42", ["042", "0042"]) == ""
    assert near_miss("42", []) == ""


@given(st.text(max_size=12), st.text(max_size=12))
def test_being_a_spelling_is_mutual(one: str, other: str) -> None:
    assert same_school_id(one, other) == same_school_id(other, one)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("LINCOLN ELEMENTARY", "Lincoln Elementary", True),
        ("Lincoln Elem.", "lincoln elementary", True),
        ("Elementary, Lincoln", "Lincoln Elementary School", True),
        ("Lincon Elementary", "Lincoln Elementary", True),
        ("Maple Grove North", "Maple Grove South", False),
        ("Lincoln High", "Lincoln Jr High", False),
        ("PS 12", "PS 13", False),
        ("Lincoln", "", False),
        ("School", "The School", False),
    ],
)
def test_names_are_the_same_word_by_word(one: str, other: str, same: bool) -> None:
    assert same_school_name(one, other) is same
    assert same_school_name(other, one) is same
