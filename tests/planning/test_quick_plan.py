"""The plan made at a glance is the plan made by looking at everything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.district import Pause
from reconciler.planning.change import Step
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.mark import Mark
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.quick import Desired, quick_plan
from tests.planning import test_laws as laws
from tests.planning.samples import NOW, connection, observed

MAPPERS = "m" * 32
NAMES = ("elm", "oak", "yew")


def mark_of(one: Observed, fingerprint: str | None) -> Mark:
    district = one.connection.district
    return Mark(
        district.id, fingerprint, district.account, district.mapper, one.connection.mapper_digest, one.phase,
        one.unfinished, one.retired_at, one.deactivated, one.held, one.host_key_seen,
        None if one.phase is Phase.SYNCING else json.dumps(district.to_json()), one.hold_digest or None,
    )  # fmt: skip


def print_of(one: Connection) -> str:
    """A fingerprint as good as any: files that say the same have the same bytes here."""
    said = hashlib.sha256(json.dumps(one.district.to_json()).encode()).hexdigest()  # no dot: one follows it
    return f"{said}.{MAPPERS}"


def planned(
    desired: Mapping[str, Connection], seen: Mapping[str, Observed], marks: Mapping[str, Mark],
    signs: Mapping[str, tuple[str, str]], now: datetime = NOW, **more: Collection[str],
) -> tuple[Plan, Plan, list[str]]:  # fmt: skip
    """The quick plan, the full one, and the districts that were looked at."""
    asked: list[str] = []

    def observe(names: Collection[str]) -> dict[str, Observed]:
        asked.extend(names)
        return {name: seen[name] for name in names if name in seen}

    wanted = Desired({name: one.district for name, one in desired.items()}, signs)
    due = timedelta(days=30)
    quick = quick_plan(wanted, marks, observe, now=now, retire_after=due, **more)
    return quick, build_plan(desired, seen, now=now, retire_after=due, **more), sorted(asked)


def fleet(
    **seen: Observed,
) -> tuple[dict[str, Connection], dict[str, Observed], dict[str, Mark], dict[str, tuple[str, str]]]:
    desired = {name: one.connection for name, one in seen.items()}
    marks = {name: mark_of(one, print_of(one.connection)) for name, one in seen.items()}
    signs = {name: (print_of(one), one.mapper_digest) for name, one in desired.items()}
    return desired, dict(seen), marks, signs


def test_a_fleet_that_stands_as_it_was_is_not_looked_at() -> None:
    quick, full, asked = planned(*fleet(oak=observed(connection("oak")), elm=observed(connection("elm"))))
    assert quick == full == Plan((), 2)
    assert asked == []


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.SYNCING])
def test_a_connection_on_its_way_is_planned_from_its_mark(phase: Phase) -> None:
    quick, full, asked = planned(*fleet(oak=observed(connection("oak"), phase)))
    assert quick == full
    assert not quick.is_empty
    assert asked == []


def test_a_pause_that_is_over_is_seen_at_a_glance() -> None:
    paused = connection("oak", sync={"pause": (Pause(NOW.date(), NOW.date()),)})
    facts = fleet(oak=observed(paused, Phase.MAPPED))
    assert planned(*facts)[0].is_empty
    quick, full, _ = planned(*facts, now=NOW + timedelta(days=1))
    assert quick == full
    assert [change.district for change in quick.changes] == ["oak"]


CHANGES = {
    "its file": lambda d, o, m, s: s.update(oak=("other." + MAPPERS, s["oak"][1])),
    "its mapper": lambda d, o, m, s: s.update(oak=(s["oak"][0], "1" * 64)),
    "its fingerprint is not known": lambda d, o, m, s: m.update(oak=m["oak"]._replace(fingerprint=None)),
    "its file has no fingerprint": lambda d, o, m, s: s.update(oak=("", s["oak"][1])),
    "it is unfinished": lambda d, o, m, s: m.update(oak=m["oak"]._replace(unfinished=True)),
    "it was retired": lambda d, o, m, s: m.update(oak=m["oak"]._replace(retired_at=NOW)),
    "its file is gone": lambda d, o, m, s: (d.pop("oak"), s.pop("oak")),
    "it is new": lambda d, o, m, s: (m.pop("oak"), o.pop("oak")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_district_is_looked_at_where(change: object) -> None:
    facts = fleet(oak=observed(connection("oak")), elm=observed(connection("elm")))
    change(*facts)  # type: ignore[operator]
    _, _, asked = planned(*facts)
    assert asked == ["oak"]


def test_a_held_district_is_looked_at_where_it_is_to_be_tried_again() -> None:
    facts = fleet(oak=observed(connection("oak"), held=True))
    assert planned(*facts)[0].is_empty
    quick, full, asked = planned(*facts, retry=["oak"])
    assert quick == full
    assert (len(quick.changes), asked) == (1, ["oak"])


def test_a_held_district_is_looked_at_where_git_approves_of_it() -> None:
    facts = fleet(
        oak=observed(connection("oak"), held=True, hold_digest="5f1c"), elm=observed(connection("elm"))
    )
    assert planned(*facts)[0].is_empty
    quick, full, asked = planned(*facts, approved=["oak"])
    assert quick == full
    assert [(c.reason, c.steps) for c in quick.changes] == [("approved", (Step.SYNC,))]
    assert asked == ["oak"]


@pytest.mark.parametrize("sync", [{"state": "stopped"}, {"pause": (Pause(NOW.date(), NOW.date()),)}])
def test_nothing_is_due_to_an_approval_while_no_sync_is(sync: dict[str, object]) -> None:
    facts = fleet(oak=observed(connection("oak", sync=sync), Phase.MAPPED, held=True, hold_digest="5f1c"))
    quick, full, _ = planned(*facts, approved=["oak"])
    assert quick == full
    assert quick.is_empty


def test_what_is_refused_or_not_asked_for_is_left_out() -> None:
    facts = fleet(oak=observed(connection("oak")), elm=observed(connection("elm"), Phase.SAVED))
    del facts[0]["elm"], facts[3]["elm"]
    quick, full, asked = planned(*facts, refused=["elm"])
    assert (quick, asked) == (full, [])
    quick, full, asked = planned(*facts, only=["oak"])
    assert (quick, asked) == (full, [])


states = st.fixed_dictionaries(
    {
        "desired": st.none() | laws.connections,
        "observed": st.none() | laws.observations,
        "same": st.booleans(),
        "known": st.sampled_from(["yes", "no", "stale", "of other mappers"]),
        "deactivated": st.booleans(),
        "held": st.booleans(),
    }
)

some = st.sets(st.sampled_from(NAMES))


@settings(deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys(NAMES, states)),
    some, st.none() | some, some, some,
    st.sampled_from([NOW, datetime(2026, 12, 24, tzinfo=UTC)]),
)  # fmt: skip
def test_whatever_is_known_the_plan_is_the_full_one(
    fleet: Mapping[str, dict[str, object]],
    refused: set[str],
    only: set[str] | None,
    retry: set[str],
    approved: set[str],
    now: datetime,
) -> None:
    desired: dict[str, Connection] = {}
    seen: dict[str, Observed] = {}
    marks: dict[str, Mark] = {}
    for name, state in fleet.items():
        one, was = state["desired"], state["observed"]
        if isinstance(was, Observed):
            applied = replace(was.connection, district=replace(was.connection.district, id=name))
            more = {"deactivated": bool(state["deactivated"] and was.retired_at), "held": bool(state["held"])}
            seen[name] = replace(was, connection=applied, **more)
            known = {
                "yes": print_of(applied), "no": None, "stale": "old." + MAPPERS,
                "of other mappers": print_of(applied).removesuffix(MAPPERS) + "n" * 32,
            }[str(state["known"])]  # fmt: skip
            marks[name] = mark_of(seen[name], known)
        if isinstance(one, Connection):
            wanted = replace(one, district=replace(one.district, id=name))
            desired[name] = seen[name].connection if state["same"] and name in seen else wanted
    refused -= desired.keys()
    signs = {name: (print_of(one), one.mapper_digest) for name, one in desired.items()}
    quick, full, _ = planned(
        desired, seen, marks, signs, now, refused=refused, only=only, retry=retry, approved=approved
    )  # type: ignore[arg-type]
    assert quick == full
    assert quick.digest == full.digest
