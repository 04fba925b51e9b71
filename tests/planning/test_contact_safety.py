"""Changes of contacts that are held however small the whole sync is."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.config.policy import Allowance, ContactSafety
from reconciler.planning.contact_safety import ContactChanges, contact_breaches

NONE = Allowance(0, 0)
STRICT = ContactSafety(NONE, NONE, NONE, NONE, NONE)


DEFAULTS = ContactSafety()


def codes(limits: ContactSafety = DEFAULTS, **changes: Any) -> list[str]:
    size = {"relationships": 400, "students": 200} | changes
    return [b.code for b in contact_breaches(ContactChanges(**size), limits)]


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"loosened": 3}, [], id="three are granted"),
        pytest.param({"loosened": 4}, ["rights-loosened"], id="four are granted"),
        pytest.param({"loosened": 50, "relationships": 10_000}, [], id="half a percent of many"),
        pytest.param({"loosened": 51, "relationships": 10_000}, ["rights-loosened"], id="more than that"),
        pytest.param({"alerts_lifted": 1}, ["alerts-lifted"], id="one alert"),
        pytest.param({"alerts_lifted": 2, "relationships": 10_000}, [], id="two alerts of a large district"),
        pytest.param({"alerts_lifted": 3, "relationships": 10_000}, ["alerts-lifted"], id="three of it"),
        pytest.param({"emptied": ("emergency",)}, ["rights-emptied"], id="a right that nobody has any more"),
        pytest.param({"without_emergency": 3}, [], id="three without an emergency contact"),
        pytest.param({"without_emergency": 4}, ["emergency-lost"], id="four of them"),
        pytest.param({"without_contact": 10}, [], id="ten without a contact"),
        pytest.param({"without_contact": 11}, ["contacts-lost"], id="eleven of them"),
        pytest.param({"moved": 3}, [], id="three contacts move"),
        pytest.param({"moved": 4}, ["contacts-moved"], id="four move"),
        pytest.param({"shared_phones": 1, "most_students": 26}, ["phone-shared"], id="a phone for many"),
        pytest.param(
            {"loosened": 4, "alerts_lifted": 1, "emptied": ("may_pick_up",)},
            ["rights-emptied", "alerts-lifted", "rights-loosened"], id="the gravest first",
        ),
        pytest.param({"relationships": 0, "shared_phones": 1}, [], id="a first sync"),
    ],
)  # fmt: skip
def test_what_is_held(changes: dict[str, Any], held: list[str]) -> None:
    assert codes(**changes) == held


@pytest.mark.parametrize(
    "change", ["loosened", "alerts_lifted", "without_emergency", "without_contact", "moved"]
)
def test_a_limit_of_nothing_holds_one(change: str) -> None:
    assert len(codes(STRICT, **{change: 1})) == 1
    assert codes(STRICT, **{change: 0}) == []


def test_a_breach_says_what_is_allowed_and_where_that_is_written() -> None:
    (breach,) = contact_breaches(ContactChanges(relationships=400, students=200, loosened=9), ContactSafety())
    assert str(breach) == (
        "relationships that would allow more than before (may_pick_up or emergency): 9 "
        "(policy.contact_safety.max_loosened allows 3 of 400)"
    )
