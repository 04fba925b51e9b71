"""What a sync would do to contacts and their rights, counted from the files and few stored rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.planning.contact_safety import ContactChanges
from tests.roster import school_days as days
from tests.roster.remembering import Memory
from tests.roster.school_days import District, Row

DAY = days.first_day(3, students=40)
WITHOUT_IDS = days.first_day(3, students=40, made_ids=True)
LIMIT = 6


def remembered(district: District) -> Memory:
    memory = Memory()
    memory.take(district.write())
    return memory


DISTRICTS = {"with ids": (DAY, remembered(DAY)), "without": (WITHOUT_IDS, remembered(WITHOUT_IDS))}


def of(day: District, relationship: str, **said: str) -> list[Row]:
    """The contact rows of this relationship that say so."""
    return [c for c in day.contacts if c["relationship"] == relationship
            and all(c[k] == v for k, v in said.items())]  # fmt: skip


def alone(day: District, relationship: str, **said: str) -> list[Row]:
    """Those of them who are the contact of one student only."""
    ids = [c["id"] for c in day.contacts]
    return [c for c in of(day, relationship, **said) if ids.count(c["id"]) == 1]


def nothing(day: District) -> None:
    pass


def barred_may_pick_up(day: District) -> None:
    for row in of(day, "Uncle")[:4]:
        row["may_pick_up"] = "yes"


def barred_are_unknown(day: District) -> None:
    for row in of(day, "Uncle")[:4]:
        row["may_pick_up"] = ""


def called_in_an_emergency(day: District) -> None:
    for row in of(day, "Uncle")[:4]:
        row["emergency"] = "yes"


def barred_return_with_another_phone(day: District) -> None:
    for row in alone(day, "Uncle", custody_alert="")[:2]:
        row["phone"], row["may_pick_up"] = f"9{row['phone'][1:]}", "yes"


def alerts_end(day: District) -> None:
    for row in of(day, "Uncle", custody_alert="yes")[:2]:
        row["custody_alert"] = ""


def alerted_contact_dropped(day: District) -> None:
    day.contacts.remove(of(day, "Uncle", custody_alert="yes")[0])


def alerted_contact_with_another_phone(day: District) -> None:
    alerted = of(day, "Uncle", custody_alert="yes")[0]
    for same in (c for c in day.contacts if c["id"] == alerted["id"]):
        same["phone"] = f"9{alerted['phone'][1:]}"


def alerted_student_leaves(day: District) -> None:
    day.withdraw([s for s in day.students if s["id"] == of(day, "Uncle", custody_alert="yes")[0]["student"]])


def pick_up_empty(day: District) -> None:
    for row in day.contacts:
        row["may_pick_up"] = ""


def restricted(day: District) -> None:
    """The other way: a tighter right is no reason to hold."""
    for row in of(day, "Mother"):
        row["may_pick_up"], row["custody_alert"] = "no", "yes"


def mothers_dropped(day: District) -> None:
    for row in of(day, "Mother")[:3]:
        day.contacts.remove(row)


def all_contacts_of_two_dropped(day: District) -> None:
    two = [s["id"] for s in day.students[:2]]
    day.contacts = [c for c in day.contacts if c["student"] not in two]


def contacts_exchanged(day: District) -> None:
    """Two families' uncles change places, as when a column is sorted and the others are not."""
    one, other = alone(day, "Uncle", custody_alert="")[:2]
    one["student"], other["student"] = other["student"], one["student"]


def sibling_gets_the_contact_too(day: District) -> None:
    single = of(day, "Uncle")[0]
    day.contacts.append(
        {**single, "student": next(s["id"] for s in day.students if s["id"] != single["student"])}
    )


def one_phone_for_many(day: District) -> None:
    for row in alone(day, "Mother")[: LIMIT + 1]:
        row["phone"] = "(555) 867-5309"


def no_phone_for_many(day: District) -> None:
    for row in of(day, "Mother"):
        row["phone"] = "000-000-0000"


def phone_on_as_many_as_may_be(day: District) -> None:
    for row in alone(day, "Mother")[:LIMIT]:
        row["phone"] = "(555) 867-5309"


Edit = Callable[[District], None]
CASES: list[tuple[Edit, dict[str, object]]] = [
    (nothing, {}),
    (restricted, {}),
    (barred_may_pick_up, {"loosened": 4}),
    (barred_are_unknown, {"loosened": 4}),
    (called_in_an_emergency, {"loosened": 4}),
    (barred_return_with_another_phone, {"loosened": 2}),
    (alerts_end, {"alerts_lifted": 2}),
    (alerted_contact_dropped, {"alerts_lifted": 1}),
    (alerted_contact_with_another_phone, {}),
    (alerted_student_leaves, {}),
    (pick_up_empty, {"emptied": ("may_pick_up",), "loosened": 40}),
    (mothers_dropped, {"without_emergency": 3}),
    (all_contacts_of_two_dropped, {"without_contact": 2}),
    (contacts_exchanged, {"moved": 2}),
    (sibling_gets_the_contact_too, {}),
    (one_phone_for_many, {"shared_phones": 1}),
    (phone_on_as_many_as_may_be, {}),
    (no_phone_for_many, {}),
]


def changes(memory: Memory, files: dict[str, bytes]) -> ContactChanges:
    with memory.night(files) as roster:
        found: ContactChanges = roster.contact_changes(memory.stored_values, LIMIT)
        return found


WITHOUT = (nothing, barred_return_with_another_phone, alerted_contact_with_another_phone, contacts_exchanged)
"""What differs where the export has no ids for contacts: another phone makes another id."""


@pytest.mark.parametrize(
    ("edit", "counted", "which"),
    [
        pytest.param(edit, counted, which, id=f"{edit.__name__}, {which}")
        for which in DISTRICTS
        for edit, counted in CASES
        if which == "with ids" or edit in WITHOUT
    ],
)
def test_each_change_is_counted_and_no_other(edit: Edit, counted: dict[str, object], which: str) -> None:
    district, memory = DISTRICTS[which]
    day = district.copy()
    edit(day)
    found = changes(memory, day.write())
    fields = (
        "emptied",
        "alerts_lifted",
        "loosened",
        "moved",
        "without_emergency",
        "without_contact",
        "shared_phones",
    )
    seen = {f: getattr(found, f) for f in fields if getattr(found, f)}
    assert (found.relationships, found.students) == (80, 40)
    assert seen == counted


def test_a_phone_that_was_shared_before_is_held_once_and_not_again() -> None:
    day = DAY.copy()
    one_phone_for_many(day)
    memory = remembered(day)
    assert changes(memory, day.write()).shared_phones == 0
    for row in (c for c in day.contacts if c["phone"] == "(555) 867-5309"):
        row["email"] = f"new-{row['email']}"
    assert changes(memory, day.write()).shared_phones == 0


def test_of_very_many_changes_the_stored_rows_are_read_in_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.roster.judging.contact_changes._MOST_KEYS", 1)
    day = DAY.copy()
    barred_may_pick_up(day)
    assert changes(remembered(DAY), day.write()).loosened == 4


def test_a_first_sync_has_nothing_to_lose() -> None:
    assert changes(Memory(), DAY.write()) == ContactChanges()
