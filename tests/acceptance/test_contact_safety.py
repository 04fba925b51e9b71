"""Who may fetch a child, and who is called: held even when hardly anything changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.world import World, csv_text, result_of, students_csv

COLUMNS = ("id", "student", "name", "phone", "may_pick_up", "emergency", "custody_alert")
COUNT = 60
Edit = Callable[[list[list[str]]], None]


def contact_rows() -> list[list[str]]:
    """A parent and an uncle for each student; every fifth uncle has a custody alert."""
    rows = []
    for n in range(1, COUNT + 1):
        alert = "yes" if n % 5 == 0 else ""
        rows.append([f"p{n}", f"{n:05d}", f"Parent{n} Last{n}", f"55520{n:05d}", "yes", "yes", ""])
        rows.append([f"u{n}", f"{n:05d}", f"Uncle{n} Last{n}", f"55530{n:05d}", "no", "", alert])
    return rows


@pytest.fixture
def oak(world: World) -> World:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(COUNT), "contacts.csv": csv_text(COLUMNS, contact_rows())})
    assert world.run("reconcile").code == 0
    return world


def put(world: World, edit: Edit) -> None:
    rows = contact_rows()
    edit(rows)
    world.put("oak", {"contacts.csv": csv_text(COLUMNS, rows)})


def uncles_may_pick_up(rows: list[list[str]]) -> None:
    for row in rows[1:9:2]:
        row[4] = "yes"


def an_alert_ends(rows: list[list[str]]) -> None:
    rows[9][6] = ""


def no_alert_is_said(rows: list[list[str]]) -> None:
    for row in rows:
        row[6] = ""


def parents_are_dropped(rows: list[list[str]]) -> None:
    del rows[0:8:2]


def uncles_change_places(rows: list[list[str]]) -> None:
    for n in (1, 5, 11, 15):
        rows[n][1], rows[n + 2][1] = rows[n + 2][1], rows[n][1]


def one_phone_everywhere(rows: list[list[str]]) -> None:
    for row in rows[0:60:2]:
        row[3] = "5552020202"


HELD: dict[str, Edit] = {
    "rights-loosened": uncles_may_pick_up,
    "alerts-lifted": an_alert_ends,
    "rights-emptied": no_alert_is_said,
    "emergency-lost": parents_are_dropped,
    "contacts-moved": uncles_change_places,
    "phone-shared": one_phone_everywhere,
}


@pytest.mark.parametrize("cause", HELD)
def test_a_small_change_of_rights_is_held_until_a_person_lets_it_through_once(oak: World, cause: str) -> None:
    before = oak.everything()
    put(oak, HELD[cause])

    done = oak.run("sync", "--format", "json")

    error = result_of(done.json, "oak")["error"]
    assert (done.code, error["code"], error["cause"]) == (3, "sync.contacts", cause)
    assert "--allow-removals oak" in error["hint"]
    assert not [row[2] for row in contact_rows() if row[2] in done.out or row[3] in done.out]
    assert oak.everything() == before
    assert oak.status("oak")["sync_status"] == "Blocked"
    assert oak.run("sync", "--allow-removals", "oak").code == 0
    assert oak.everything() != before
    assert oak.run("sync").code == 0


def test_a_few_grants_are_an_ordinary_day_unless_the_fleet_says_otherwise(oak: World) -> None:
    put(oak, lambda rows: rows[1].__setitem__(4, "yes"))
    oak.policy(contact_safety={"max_loosened": {"rows": 0, "percent": 0}})
    assert oak.run("sync").code == 3
    oak.policy()
    assert oak.run("sync").code == 0
    assert sum(r["may_pick_up"] == "yes" for r in oak.export("relationships")) == COUNT + 1


def test_whoever_lets_removals_through_is_told_of_the_rights_as_well(oak: World) -> None:
    rows = [row for row in contact_rows() if int(row[1]) > 20]
    for row in rows:
        row[6] = ""
    oak.put(
        "oak", {"students.csv": students_csv(COUNT - 20, first=21), "contacts.csv": csv_text(COLUMNS, rows)}
    )
    error = result_of(oak.json("sync"), "oak")["error"]
    assert error["code"] == "sync.removals"
    assert "Held for contact safety as well: custody_alert was said" in error["message"]


def test_a_first_sync_with_one_phone_everywhere_is_taken_with_a_note(world: World) -> None:
    world.district("oak", schools=["0042"])
    rows = contact_rows()
    one_phone_everywhere(rows)
    world.put("oak", {"students.csv": students_csv(COUNT), "contacts.csv": csv_text(COLUMNS, rows)})
    result = result_of(world.json("reconcile"), "oak")
    assert result["outcome"] == "succeeded"
    assert [
        n for n in result["notes"] if n.startswith("phones that would be on the contacts of more than 25")
    ]
