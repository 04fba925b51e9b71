"""A saved plan says what it was made of, and nothing else is taken for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.config.policy import Policy
from reconciler.errors import PlanError
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.saved_plan import SavedPlan, read_plan, refuse_moved, save_plan
from tests.planning.samples import NOW, connection, observed

DESIRED = {"elm": connection("elm", sftp={"host": "new.example"}), "oak": connection("oak")}
OBSERVED = {"elm": observed(connection("elm")), "yew": observed(connection("yew"))}
SEEN = {"elm": {"files": [], "delta": "d", "stored": ""}, "oak": None}


def plan() -> Plan:
    return build_plan(DESIRED, OBSERVED, now=NOW, retire_after=timedelta(days=30))


def saved(**options: Any) -> SavedPlan:
    return save_plan(
        plan(), DESIRED, OBSERVED, Policy(),
        seen=SEEN, refused=["bad"], about={"commit": "abc"}, **options,
    )  # fmt: skip


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document that is no mapping or list, or an empty one."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, inner in pairs for leaf in leaves(inner, (*path, key))]
    yield from found or [path]


def test_a_saved_plan_is_read_back_as_it_was() -> None:
    for one in (saved(), saved(scope=["elm", "oak"], allow_removals=["oak"])):
        again = read_plan(json.loads(json.dumps(one.to_json())))
        assert (again, again.digest) == (one, one.digest)


@pytest.mark.parametrize("path", list(leaves(saved().to_json())), ids=lambda p: ".".join(map(str, p)))
def test_whatever_is_altered_in_it_shows(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(saved().to_json())
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "altered" if inner[path[-1]] != "altered" else None
    with pytest.raises(PlanError) as refused:
        read_plan(document)
    assert refused.value.code == "plan.file"


def test_a_plan_that_nothing_moved_under_is_not_refused() -> None:
    refuse_moved(saved(), plan(), DESIRED, OBSERVED, Policy(), {"bad": "config.schema"})


def test_many_districts_that_moved_are_counted() -> None:
    names = [f"d{n:02d}" for n in range(25)]
    wanted = {n: connection(n) for n in names}
    before = save_plan(build_plan(wanted, {}, now=NOW, retire_after=timedelta(days=30)), wanted, {}, Policy())
    now = {n: connection(n, account="another") for n in names}
    with pytest.raises(PlanError, match="d09: its file, or a default that it takes, changed; and 15 more"):
        refuse_moved(
            before, build_plan(now, {}, now=NOW, retire_after=timedelta(days=30)), now, {}, Policy(), {}
        )
