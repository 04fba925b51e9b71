"""Laws of planning, for any pair of connections."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.district import District, Pause, SchoolMapping, SecretRef, Sftp, Sync
from reconciler.planning.change import Step
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.diff import diff
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.steps import phase_after, phase_before, target_phase
from tests.planning.samples import NOW

names = st.text("abc0", min_size=1, max_size=3)
sftps = st.builds(
    Sftp,
    host=names,
    username=names,
    port=st.sampled_from([22, 2222]),
    password=st.builds(SecretRef, st.just("env"), names),
    host_key=st.lists(names, max_size=2).map(tuple),
    remote_path=st.sampled_from([".", "/data"]),
)
syncs = st.builds(
    Sync,
    state=st.sampled_from(["started", "stopped"]),
    schedule=st.sampled_from(["", "0 2 * * *"]),
    pause=st.sampled_from([(), (Pause(date(2026, 11, 1), date(2026, 12, 1)),)]),
)
schools = st.dictionaries(names, names, max_size=3).map(
    lambda d: tuple(SchoolMapping(k, v) for k, v in sorted(d.items()))
)
districts = st.builds(
    District, id=st.just("oak"), name=names, account=names, sftp=sftps, mapper=names, schools=schools,
    ignored_schools=st.lists(names, max_size=2, unique=True).map(lambda x: tuple(sorted(x))), sync=syncs,
)  # fmt: skip
connections = st.builds(Connection, districts, st.sampled_from(["0" * 64, "1" * 64]))
observations = st.builds(
    Observed, connections, st.sampled_from(list(Phase)), unfinished=st.booleans(),
    retired_at=st.sampled_from([None, NOW - timedelta(days=1)]),
)  # fmt: skip


def plan_of(desired: Connection | None, observed: Observed | None) -> Plan:
    return build_plan(
        {"oak": desired} if desired else {},
        {"oak": observed} if observed else {},
        now=NOW,
        retire_after=timedelta(days=30),
    )


@given(connections, st.none() | observations)
def test_the_plan_of_an_applied_plan_is_empty(desired: Connection, observed: Observed | None) -> None:
    plan_of(desired, observed)
    applied = Observed(desired, target_phase(desired.district, NOW), unfinished=False)
    assert plan_of(desired, applied).is_empty


@given(connections)
def test_nothing_differs_from_itself(connection: Connection) -> None:
    assert diff(connection, connection) == ()


@given(connections, connections)
def test_a_diff_says_the_same_in_both_directions(one: Connection, other: Connection) -> None:
    there = {(f.path, str(f.before), str(f.after)) for f in diff(one, other)}
    back = {(f.path, str(f.after), str(f.before)) for f in diff(other, one)}
    assert there == back
    assert bool(there) == (one != other)


@given(connections, observations)
def test_whatever_was_seen_the_steps_lead_to_the_target(desired: Connection, observed: Observed) -> None:
    for change in plan_of(desired, observed).changes:
        target = target_phase(desired.district, NOW)
        assert phase_after(change.steps, observed.phase).reaches(target)
        assert target.reaches(Phase.SYNCING) or Step.SYNC not in change.steps
        assert phase_before(change.steps, change.begins) is change.begins


@given(connections, st.none() | observations)
def test_a_plan_is_the_same_value_every_time(desired: Connection, observed: Observed | None) -> None:
    one, other = plan_of(desired, observed), plan_of(desired, observed)
    assert one == other
    assert one.digest == other.digest


@given(districts)
def test_a_district_survives_its_json(district: District) -> None:
    assert District.from_json(district.to_json()) == district
