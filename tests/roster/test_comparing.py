"""New rows against stored rows: what is added, changed, unchanged, returning and removed."""

from __future__ import annotations

import pytest

from reconciler.roster.delta import RowCounts
from tests.roster.running import Outcome, Stored, resolve

HEADER = "id,school,first_name,last_name,grade\n"
ROWS = ["1,A,Ann,Lee,3\n", "2,A,Bob,Ray,4\n", "3,A,Cy,Kay,5\n"]
CONTACTS = "id,student,name,phone\nc1,1,Pat Lee,\nc2,2,Mo Ray,\nc2,3,Mo Ray,\n"


def run(rows: list[str], contacts: str = CONTACTS, before: Stored | None = None) -> Outcome:
    files = {"students.csv": HEADER + "".join(rows), "contacts.csv": contacts}
    return resolve("generic", files, before=before, mapping={"A": "lincoln"})


@pytest.fixture(scope="module")
def stored() -> Stored:
    """What is stored after ROWS and CONTACTS."""
    return run(ROWS).stored()


def test_a_first_sync_adds_every_row() -> None:
    result = run(ROWS)
    assert {e: c.added for e, c in result.counts.items() if c.read} == {
        "students": 3,
        "contacts": 2,
        "relationships": 3,
    }
    assert [row[0] for row in result.upserts["students"]] == ["1", "2", "3"]


def test_the_same_files_again_change_nothing(stored: Stored) -> None:
    result = run(ROWS, before=stored)
    assert not any(result.upserts.values())
    assert not any(result.removals.values())
    assert {c.unchanged for c in result.counts.values()} == {3, 2, 0}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ROWS[::-1], id="rows in another order"),
        pytest.param([" 1 ,A,Ann,Lee,3,,\n", *ROWS[1:]], id="space and empty cells"),
        pytest.param([*ROWS, "\n", "9,Z,Zoe,Zed,1\n"], id="blank lines and skipped rows"),
        pytest.param([*ROWS, ROWS[0]], id="a row twice"),
    ],
)
def test_what_says_the_same_is_unchanged(rows: list[str], stored: Stored) -> None:
    result = run(rows, before=stored)
    assert result.counts["students"].unchanged == 3
    assert not any(result.upserts.values())


def test_only_rows_that_differ_are_written(stored: Stored) -> None:
    result = run([ROWS[0], "2,A,Bob,Ray,5\n", ROWS[2]], before=stored)
    assert result.counts["students"] == RowCounts(changed=1, unchanged=2)
    assert [row[0] for row in result.upserts["students"]] == ["2"]
    assert result.upserts["students"][0][-1] not in {row_hash for row_hash, _ in stored["students"].values()}


def test_values_that_move_between_columns_are_a_change() -> None:
    def one(cells: str) -> str:
        header = "id,school,first_name,last_name,middle_name,preferred_name\n"
        (row,) = resolve("generic", {"students.csv": header + cells}).upserts["students"]
        return str(row[-1])

    cells = ["X,", ",X", "X,Y", "X1:Y,", "-,"]
    assert len({one(f"1,A,Ann,Lee,{two}\n") for two in cells}) == len(cells)


def test_a_row_that_is_no_longer_there_is_removed_with_its_relationships(stored: Stored) -> None:
    result = run(ROWS[:2], before=stored)
    assert result.removed() == ["3"]
    assert result.removed("relationships") == ["3-c2"]
    assert result.removed("contacts") == []
    assert (
        result.counts["contacts"] == RowCounts(unchanged=1, skipped=1)
        or result.counts["contacts"].removed == 0
    )


def test_contacts_go_with_the_last_student_that_they_came_with(stored: Stored) -> None:
    result = run(ROWS[:1], before=stored)
    assert result.removed() == ["2", "3"]
    assert result.removed("contacts") == ["c2"]
    assert result.removed("relationships") == ["2-c2", "3-c2"]
    assert result.counts["contacts"] == RowCounts(unchanged=1, skipped=2, removed=1)


def test_rows_of_a_student_who_left_are_skipped_and_not_rejected(stored: Stored) -> None:
    after = run(ROWS[:1], before=stored).stored()
    result = run(ROWS[:1], before=after)
    assert result.counts["contacts"] == RowCounts(unchanged=1, skipped=2)
    assert not result.rejects
    assert not any(result.removals.values())


def test_who_comes_back_is_added_again_even_unchanged(stored: Stored) -> None:
    left = run(ROWS[:1], before=stored).stored()
    result = run(ROWS, before=left)
    assert result.counts["students"] == RowCounts(added=2, unchanged=1)
    assert result.counts["contacts"].added == 1
    assert result.counts["relationships"].added == 2
    assert result.stored() == stored


def test_a_student_who_moves_to_an_unmapped_school_has_left(stored: Stored) -> None:
    result = run([*ROWS[:2], "3,Z,Cy,Kay,5\n"], before=stored)
    assert result.removed() == ["3"]
    assert result.counts["students"] == RowCounts(unchanged=2, skipped=1, removed=1)


def test_an_id_is_text_and_one_with_a_zero_more_is_another(stored: Stored) -> None:
    result = run(["01,A,Ann,Lee,3\n", *ROWS[1:]], before=stored)
    assert result.counts["students"] == RowCounts(added=1, unchanged=2, removed=1)


def test_a_stored_id_may_be_any_text() -> None:
    rows = ["\\n,A,Ann,Lee,3\n", "Null,A,Bob,Ray,4\n", "'; --,A,Cy,Kay,5\n", '"a""b",A,Di,Lo,5\n']
    before = run(rows, "id,student\n").stored()
    assert set(before["students"]) == {("\\n",), ("Null",), ("'; --",), ('a"b',)}
    result = run([*rows[:3], "5,A,Ed,Po,1\n"], "id,student\n", before=before)
    assert result.counts["students"] == RowCounts(added=1, unchanged=3, removed=1)
    assert result.removed() == ['a"b']


def test_a_relationship_that_is_dropped_is_removed_alone(stored: Stored) -> None:
    result = run(ROWS, "id,student,name,phone\nc1,1,Pat Lee,\nc2,2,Mo Ray,\n", before=stored)
    assert result.removed("relationships") == ["3-c2"]
    assert result.removed("contacts") == []
    assert result.removed() == []


def test_a_change_of_the_school_mapping_alone_changes_rows_without_new_files(stored: Stored) -> None:
    files = {"students.csv": HEADER + "".join(ROWS), "contacts.csv": CONTACTS}
    result = resolve("generic", files, before=stored, mapping={"A": "grant"})
    assert result.counts["students"] == RowCounts(changed=3)
    assert {row[1] for row in result.upserts["students"]} == {"grant"}
