"""What a cell means: words for nothing, and headers that are no rows."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.roster.delta import RowCounts
from tests.roster.running import Outcome, resolve, simple_mapper

HEADER = "id,school,first_name,last_name,middle_name,grade,student_number,email\n"
ANN = "1,A,Ann,Lee,,3,,\n"


def students(*rows: str) -> Outcome:
    return resolve("generic", {"students.csv": HEADER + "".join(rows)})


# -- words for nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["NULL", "\\N", '"NULL"', " NULL "])
def test_what_databases_write_for_an_empty_cell_is_one(word: str) -> None:
    result = students(f"1,A,Ann,Lee,,{word},{word},{word}\n")
    (row,) = result.students
    assert (row["grade"], row["student_number"], row["email"]) == (None, None, None)
    assert "3 cells of students.csv say NULL or \\N, read as empty" in result.notices


@pytest.mark.parametrize("word", ["Null", "null", "N/A", "None", "(null)", "NULLS", "#N/A"])
def test_any_other_word_is_text(word: str) -> None:
    assert students(f"1,A,Ann,Lee,,{word},,\n").students[0]["grade"] == word


def test_a_surname_that_is_the_word_stays_one_and_is_noticed() -> None:
    result = students("1,A,ANN,NULL,,3,,\n", ANN.replace("1", "2", 1))
    assert [r["last_name"] for r in result.students] == ["NULL", "Lee"]
    assert any(
        n.startswith("1 name in students.csv says NULL, and no other column does") for n in result.notices
    )


def test_in_a_file_that_uses_the_word_for_nothing_it_is_nobodys_name() -> None:
    result = students(ANN, "2,A,Bob,Ray,NULL,NULL,,\n", "3,A,Cy,NULL,,3,,\n")
    assert result.students[1]["middle_name"] is None
    assert result.rejected() == [("students", 4, "row.required", "last_name")]


def test_a_contact_whose_cells_are_all_null_is_nobody() -> None:
    document = simple_mapper(
        contacts={
            "from": "students",
            "where": [{"column": "parent", "not_empty": True}],
            "fields": {"student": "id", "name": "parent", "phone": "phone"},
        }
    )
    rows = "id,school,first,last,parent,phone\n1,A,Ann,Lee,Pat Lee,5550102000\n2,A,Bob,Ray,NULL,NULL\n"
    result = resolve(document, {"students.csv": rows})
    assert [c["name"] for c in result.contacts] == ["Pat Lee"]
    assert result.counts["contacts"].read == 1


@pytest.mark.parametrize(
    ("empty", "grades"),
    [
        pytest.param(["N/A", "-"], [None, None, "NULL", "n/a"], id="its own words, exactly"),
        pytest.param([], ["N/A", "-", "NULL", "n/a"], id="none"),
        pytest.param(["NULL"], ["N/A", "-", None, "n/a"], id="in names too"),
    ],
)
def test_a_mapper_may_say_which_words_stand_for_nothing(empty: list[str], grades: list[str | None]) -> None:
    document: dict[str, Any] = simple_mapper()
    document["files"]["students"]["empty"] = empty
    document["entities"]["students"]["fields"] |= {"grade": "grade", "middle_name": "middle"}
    rows = "".join(f"{n},A,Ann,Lee,{w},NULL\n" for n, w in enumerate(["N/A", "-", "NULL", "n/a"]))
    result = resolve(document, {"students.csv": "id,school,first,last,grade,middle\n" + rows})
    assert [r["grade"] for r in result.students] == grades
    assert result.students[0]["middle_name"] == (None if "NULL" in empty else "NULL")


def test_a_header_in_the_middle_of_a_file_is_no_row() -> None:
    result = students(ANN, "\ufeff" + HEADER, "2,A,Bob,Ray,,4,,\n")
    assert result.counts["students"] == RowCounts(added=2)
    assert "students.csv has its header again on line 3" in result.notices
