"""Packages come one after the other: which of them is lost, and what still waits to be applied."""

from __future__ import annotations

import pytest

from reconciler.engine.sequence import Pending, refuse_lost, seen, written
from reconciler.errors import RosterError
from reconciler.roster.packages.manifest import Mode

BULK, DELTA, ABSENT = Mode.BULK, Mode.DELTA, Mode.ABSENT

LOST: dict[str, tuple[Pending, Mode | None, str | None, bool]] = {
    "nothing waits": ({}, DELTA, "d1", False),
    "the one that waits": ({"users": ("d1",)}, DELTA, "d1", False),
    "another delta": ({"users": ("d1",)}, DELTA, "d2", True),
    "the second of two that wait": ({"users": ("d1", "d2")}, DELTA, "d2", True),
    "no update": ({"users": ("d1",)}, ABSENT, None, True),
    "the one that waits, called absent": ({"users": ("d1",)}, ABSENT, "d1", True),
    "a bulk file": ({"users": ("d1",)}, BULK, "b1", False),
    "a file that is not listed": ({"users": ("d1",)}, None, "b1", False),
}


@pytest.mark.parametrize(("pending", "mode", "digest", "is_lost"), LOST.values(), ids=LOST)
def test_a_package_is_refused_where_an_earlier_one_was_lost(
    pending: Pending, mode: Mode | None, digest: str | None, is_lost: bool
) -> None:
    modes, digests = {"users": mode} if mode else {}, {"users": digest} if digest else {}
    if not is_lost:
        refuse_lost(pending, modes, digests)
        return
    with pytest.raises(RosterError) as error:
        refuse_lost(pending, modes, digests)
    assert error.value.code == "csv.manifest"


SEEN: dict[str, tuple[Pending, Mode, str, Pending]] = {
    "a new delta waits": ({}, DELTA, "d1", {"users": ("d1",)}),
    "behind those that wait": ({"users": ("d1",)}, DELTA, "d2", {"users": ("d1", "d2")}),
    "once, however often it is seen": ({"users": ("d1",)}, DELTA, "d1", {"users": ("d1",)}),
    "not when it is applied": ({}, DELTA, "applied", {}),
    "a bulk file waits instead of all others": ({"users": ("d1", "d2")}, BULK, "b1", {"users": ("b1",)}),
    "not when it is applied and comes back": ({"users": ("d1",)}, BULK, "applied", {}),
    "an absent file does not": ({}, ABSENT, "d1", {}),
}


@pytest.mark.parametrize(("pending", "mode", "digest", "after"), SEEN.values(), ids=SEEN)
def test_what_was_seen_waits_until_it_is_written(
    pending: Pending, mode: Mode, digest: str, after: Pending
) -> None:
    assert seen(pending, {"users": mode}, {"users": digest}, {"users": "applied"}) == after


@pytest.mark.parametrize(
    ("pending", "mode", "after"),
    [(("d1",), DELTA, {}), (("d1", "d2"), DELTA, {"users": ("d2",)}), (("d1",), BULK, {})],
    ids=["the one that was written", "the next one still waits", "a bulk file makes up for all"],
)
def test_what_was_written_waits_no_longer(pending: tuple[str, ...], mode: Mode, after: Pending) -> None:
    assert written({"users": pending}, {"users": mode}, {"users": "d1"}) == after
