"""What a comparison comes to: students by school, columns that changed wholesale, and one digest."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from reconciler.roster import database
from reconciler.roster.effect import ColumnChange, Effect
from tests.roster import school_days as days
from tests.roster.remembering import Memory
from tests.roster.school_days import District

DAY = days.first_day(5, students=60)


def remembered() -> Memory:
    memory = Memory()
    memory.take(DAY.write())
    return memory


MEMORY = remembered()
Edit = Callable[[District], None]


def effect_of(edit: Edit) -> Effect:
    today = DAY.copy()
    edit(today)
    with MEMORY.night(today.write()) as roster:
        found: Effect = roster.effect(MEMORY.stored_values)
        return found


def digest_of(edit: Edit, memory: Memory = MEMORY) -> str:
    today = DAY.copy()
    edit(today)
    with memory.night(today.write()) as roster:
        return str(roster.delta_digest())


def nothing(day: District) -> None:
    pass


def one_leaves(day: District) -> None:
    del day.students[0]


def one_value(day: District) -> None:
    day.students[3]["first_name"] = "Ann"


def another_value(day: District) -> None:
    day.students[3]["first_name"] = "Ben"


def one_phone(day: District) -> None:
    day.contacts[3]["phone"] = "5550009999"


def one_comes(day: District) -> None:
    day.students.append({**day.students[0], "id": "99999"})


def other_order(day: District) -> None:
    random.Random(1).shuffle(day.students)


EDITS = (nothing, one_leaves, one_value, another_value, one_phone, one_comes)


def test_every_student_is_counted_at_one_school() -> None:
    effect = effect_of(one_leaves)
    school = DAY.students[0]["school"]
    removed = {s.sis_id: s.removed for s in effect.schools if s.removed}
    assert removed == {school: 1}
    assert sum(s.unchanged for s in effect.schools) == 59


@pytest.mark.parametrize(
    ("rows", "told"), [(10, False), (12, False), (13, True), (60, True)], ids=["10", "20 %", "more", "all"]
)
def test_a_column_is_told_over_a_fifth_of_the_rows_and_over_ten(rows: int, told: bool) -> None:
    def edit(day: District) -> None:
        for student in day.students[:rows]:
            student["homeroom"] = "R99"

    expected = (ColumnChange("students", "homeroom", rows, 60),) if told else ()
    assert effect_of(edit).columns == expected


def test_values_that_are_lost_are_counted() -> None:
    def edit(day: District) -> None:
        for contact in day.contacts:
            contact["phone"] = ""

    (column,) = [c for c in effect_of(edit).columns if (c.entity, c.column) == ("contacts", "phone")]
    assert column.emptied == column.rows > 10


def test_each_difference_has_a_digest_of_its_own_and_the_order_of_rows_none() -> None:
    digests = [digest_of(edit) for edit in EDITS]
    assert len(set(digests)) == len(EDITS)
    assert digest_of(other_order) == digests[0]
    assert [digest_of(edit) for edit in EDITS] == digests


def test_the_digest_of_a_load_in_parts_is_as_stable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SLICE", 7)
    empty = Memory()
    first, again, other = (digest_of(edit, empty) for edit in (nothing, other_order, one_value))
    assert first == again != other
