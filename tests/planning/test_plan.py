"""Which action and which steps follow from which difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reconciler.config.district import Pause, SchoolMapping, SecretRef
from reconciler.planning.connection import Connection, Observed, Phase
from reconciler.planning.plan import Plan, build_plan
from tests.planning.samples import NOW, connection, observed

ALL = ("test", "initialize", "map_schools", "sync")
OAK = connection()


def plan(desired: Connection | None, before: Observed | None, **more: Any) -> Plan:
    return build_plan(
        {"oak": desired} if desired else {},
        {"oak": before} if before else {},
        **{"now": NOW, "retire_after": timedelta(days=30), **more},
    )


def district(**more: Any) -> Connection:
    return Connection(replace(OAK.district, **more), OAK.mapper_digest)


UPDATES = {
    "the name": (district(name="Other"), "update", ()),
    "the account": (district(account="7"), "update", ()),
    "the host": (connection(sftp={"host": "new.example"}), "update", ("test", "sync")),
    "the port": (connection(sftp={"port": 2222}), "update", ("test", "sync")),
    "the user": (connection(sftp={"username": "other"}), "update", ("test", "sync")),
    "the secret's reference": (
        connection(sftp={"password": SecretRef("env", "SFTP_OAK_NEW")}), "update", ("test", "sync"),
    ),
    "the host key": (connection(sftp={"host_key": ("SHA256:x",)}), "update", ("test", "sync")),
    "the remote path": (connection(sftp={"remote_path": "/new"}), "update", ALL),
    "the file pattern": (connection(sftp={"file_pattern": "*.txt"}), "update", ALL),
    "the mapper": (district(mapper="clever"), "update", ("initialize", "map_schools", "sync")),
    "the mapper's content": (connection(digest="1" * 64), "update", ("initialize", "map_schools", "sync")),
    "a school's mapping": (
        district(schools=(SchoolMapping("0042", "other"),)), "update", ("map_schools", "sync"),
    ),
    "another school": (
        district(schools=(SchoolMapping("0042", "lincoln"), SchoolMapping("7", "x"))), "update",
        ("map_schools", "sync"),
    ),
    "no school any more": (district(schools=()), "update", ()),
    "an ignored school": (district(ignored_schools=("9999",)), "update", ("map_schools", "sync")),
    "the schedule": (connection(sync={"schedule": "0 2 * * *"}), "update", ()),
    "a limit": (connection(sync={"max_removal_percent": 50}), "update", ()),
    "stopped": (connection(sync={"state": "stopped"}), "stop", ("stop",)),
    "stopped and renamed": (
        Connection(replace(connection(sync={"state": "stopped"}).district, name="Other"), OAK.mapper_digest),
        "update", ("stop",),
    ),
    "stopped and moved": (
        connection(sync={"state": "stopped"}, sftp={"host": "new.example"}), "update", ("test", "stop"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("desired", "action", "steps"), UPDATES.values(), ids=UPDATES)
def test_each_changed_path_decides_which_steps_follow(
    desired: Connection, action: str, steps: tuple[str, ...]
) -> None:
    (change,) = plan(desired, observed(OAK)).changes
    assert (change.action, change.steps) == (action, steps)
    assert change.fields


def test_a_connection_that_is_not_there_is_created_with_every_step() -> None:
    (change,) = plan(OAK, None).changes
    assert (change.action, change.steps, change.begins) == ("create", ALL, Phase.SAVED)


CREATED = {
    "without a school": (district(schools=()), ("test", "initialize")),
    "stopped": (connection(sync={"state": "stopped"}), ("test", "initialize", "map_schools")),
    "in a pause": (
        connection(sync={"pause": (Pause(date(2026, 11, 1), date(2026, 11, 30)),)}),
        ("test", "initialize", "map_schools"),
    ),
}


@pytest.mark.parametrize(("desired", "steps"), CREATED.values(), ids=CREATED)
def test_what_the_district_does_not_want_yet_is_left_out(desired: Connection, steps: tuple[str, ...]) -> None:
    assert plan(desired, None).changes[0].steps == steps


def test_nothing_differs_and_nothing_is_planned() -> None:
    assert plan(OAK, observed(OAK)).is_empty
    assert plan(OAK, observed(OAK)).summary()["unchanged"] == 1


@pytest.mark.parametrize(
    ("phase", "steps"),
    [
        (Phase.SAVED, ALL),
        (Phase.TESTED, ALL[1:]),
        (Phase.INITIALIZED, ALL[2:]),
        (Phase.MAPPED, ALL[3:]),
        (Phase.SYNCING, ALL[3:]),
    ],
)
def test_an_unfinished_connection_goes_on_from_where_it_was(phase: Phase, steps: tuple[str, ...]) -> None:
    (change,) = plan(OAK, observed(OAK, phase, unfinished=True)).changes
    assert (change.action, change.steps, change.reason) == ("update", steps, "unfinished")


def test_starting_again_syncs() -> None:
    stopped = connection(sync={"state": "stopped"})
    (change,) = plan(OAK, observed(stopped, Phase.MAPPED)).changes
    assert (change.action, change.steps) == ("start", ("sync",))


def test_a_pause_that_ends_lets_the_sync_follow() -> None:
    paused = connection(sync={"pause": (Pause(date(2026, 11, 1), date(2026, 11, 22)),)})
    during = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert plan(paused, observed(paused, Phase.MAPPED), now=during).is_empty
    (change,) = plan(paused, observed(paused, Phase.MAPPED)).changes
    assert change.steps == ("sync",)


def test_a_pause_that_is_taken_out_of_the_file_lets_the_sync_follow() -> None:
    paused = connection(sync={"pause": (Pause(date(2026, 11, 1), date(2026, 11, 30)),)})
    (change,) = plan(OAK, observed(paused, Phase.MAPPED)).changes
    assert change.steps == ("sync",)


def test_a_pause_is_counted_in_the_districts_own_days() -> None:
    pause = (Pause(date(2026, 11, 22), date(2026, 11, 22)),)
    chicago = connection(sync={"pause": pause, "timezone": "America/Chicago"})
    still_sunday_there = datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert plan(chicago, observed(chicago, Phase.MAPPED), now=still_sunday_there).is_empty


class TestAFileThatIsGone:
    def test_the_connection_stops_and_keeps_its_rows(self) -> None:
        (change,) = plan(None, observed(OAK)).changes
        assert (change.action, change.steps) == ("retire", ("stop",))

    def test_nothing_follows_until_the_time_has_passed(self) -> None:
        retired = observed(OAK, retired_at=NOW - timedelta(days=29))
        assert plan(None, retired).is_empty

    def test_then_its_rows_become_inactive(self) -> None:
        retired = observed(OAK, retired_at=NOW - timedelta(days=30))
        assert plan(None, retired).changes[0].steps == ("deactivate",)

    def test_and_that_is_the_end_of_it(self) -> None:
        gone = observed(OAK, retired_at=NOW - timedelta(days=99), deactivated=True)
        assert plan(None, gone).is_empty

    def test_when_it_is_back_every_step_is_taken_again(self) -> None:
        retired = observed(OAK, retired_at=NOW - timedelta(days=5))
        (change,) = plan(OAK, retired).changes
        assert (change.action, change.steps, change.reason) == ("start", ALL, "its file is back")


def test_a_refused_district_is_neither_changed_nor_retired() -> None:
    assert plan(None, observed(OAK), refused=["oak"]).is_empty
    assert plan(OAK, None, refused=["oak"]).is_empty


def test_only_limits_the_plan() -> None:
    desired = {name: connection(name) for name in ("oak", "elm", "ash")}
    made = build_plan(desired, {}, now=NOW, retire_after=timedelta(days=30), only=["elm"])
    assert [c.district for c in made.changes] == ["elm"]
