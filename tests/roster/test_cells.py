"""What a cell means: words for nothing, ids that are none any more, days on which nobody was born."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reconciler.roster.delta import RowCounts
from tests.roster.running import Outcome, make_mapper, open_roster, resolve, simple_mapper

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


# -- ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damaged", ["1.23E+11", "1,23E+11", "1E+05", "9.999999e+012"])
def test_an_id_that_a_spreadsheet_has_spoilt_is_none(damaged: str) -> None:
    result = students(ANN, f'"{damaged}",A,Bob,Ray,,4,,\n')
    assert result.counts["students"] == RowCounts(added=1, rejected=1)
    (reject,) = result.rejects
    assert (reject.row, reject.column, reject.code) == (3, "id", "row.scientific")
    assert "a spreadsheet" in reject.reason


@pytest.mark.parametrize(
    "sound", ["1E5", "123E11", "1.23E-11", "12E+11", "12345.0", "1.23", "E+11", "1E+5", "٣٤"]
)
def test_an_id_that_only_looks_alike_is_kept_as_text(sound: str) -> None:
    assert students(f"{sound},A,Bob,Ray,,4,,\n").ids() == [sound]


@pytest.mark.parametrize(
    "damaged", ["1\u200b2", '"1\n2"', "1\x0b2", "1\u202e2", "9" * 257, "1\u00ad2"],
    ids=["zero width", "two lines", "control", "turned round", "too long", "soft hyphen"],
)  # fmt: skip
def test_an_id_that_nobody_can_read_is_none(damaged: str) -> None:
    result = students(ANN, f"{damaged},A,Bob,Ray,,4,,\n")
    assert [(r.row, r.column, r.code) for r in result.rejects] == [(3, "id", "row.id")]


@pytest.mark.parametrize(
    "padded", ["\u00a012 ", "\u200b12\u200b", "\ufeff12", '" 12\t"', "\u306012".replace("\u3060", "\u3000")]
)
def test_what_surrounds_an_id_and_cannot_be_seen_is_dropped(padded: str) -> None:
    assert students(f"{padded},A,Bob,Ray,,4,,\n").ids() == ["12"]


@pytest.mark.parametrize(
    ("schools", "rejected"),
    [
        pytest.param([f"{n:036d}" for n in range(20)], [], id="many long ids"),
        pytest.param(["A", "1.2E+06"], [("staff", 2, "row.scientific", "schools")], id="one is spoilt"),
        pytest.param(["A", "x" * 257], [("staff", 2, "row.id", "schools")], id="one is too long"),
    ],
)
def test_each_id_of_a_list_is_looked_at_by_itself(
    schools: list[str], rejected: list[tuple[str, int, str, str]]
) -> None:
    document = simple_mapper(
        staff={
            "from": "extra",
            "fields": {
                "id": "id",
                "school": {"column": "schools", "split": ";", "item": "mapped"},
                "first_name": "id",
                "last_name": "id",
            },
        }
    )
    files = {
        "students.csv": "id,school,first,last\n1,A,Ann,Lee\n",
        "extra.csv": "id,schools\n7," + ";".join(schools),
    }
    result = resolve(document, files)
    assert result.rejected() == rejected
    assert result.ids("staff") == ([] if rejected else ["7"])


def test_a_spoilt_school_is_none_and_the_student_stays_where_stored() -> None:
    before = resolve("generic", {"students.csv": HEADER + ANN}, mapping={"A": "lincoln"}).stored()
    spoilt = HEADER + ANN.replace("A,", "1.2E+06,", 1) + "2,A,Bob,Ray,,4,,\n"
    result = resolve("generic", {"students.csv": spoilt}, before=before, mapping={"A": "lincoln"})
    assert result.rejected() == [("students", 2, "row.scientific", "school")]
    assert result.removed() == []


def test_a_spoilt_number_on_a_card_is_left_out_and_told() -> None:
    result = students("1,A,Ann,Lee,,3,1.2E+06,\n")
    assert result.students[0]["student_number"] is None
    assert result.rejected() == [("students", 2, "row.value", "student_number")]


def test_of_a_spoilt_id_nobody_knows_whose_it_was_so_nobody_is_removed() -> None:
    before = students(ANN, "123456789012,A,Bob,Ray,,4,,\n", "3,A,Cy,Kay,,5,,\n").stored()
    rows = HEADER + ANN + "1.23457E+11,A,Bob,Ray,,4,,\n"
    result = resolve("generic", {"students.csv": rows}, before=before)
    assert result.removed() == []
    assert "do not say whose they are" in result.blocked["students"]


def test_the_contacts_of_a_spoilt_id_are_kept_too() -> None:
    files = {
        "students.csv": HEADER + ANN + "123456789012,A,Bob,Ray,,4,,\n",
        "contacts.csv": "student,name,phone\n1,Pat Lee,5550102000\n123456789012,Mo Ray,5550102001\n",
    }
    before = resolve("generic", files).stored()
    spoilt = {name: text.replace("123456789012", "1.23457E+11") for name, text in files.items()}
    result = resolve("generic", spoilt, before=before)
    assert not any(result.removals.values())
    assert not any(result.upserts.values())
    assert {(r.entity, r.code) for r in result.rejects} == {
        ("students", "row.scientific"), ("contacts", "row.scientific"),
    }  # fmt: skip


# -- days ---------------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "born"),
    [
        pytest.param("11/23/26", "2026-11-23", id="today"),
        pytest.param("11/24/26", None, id="tomorrow"),
        pytest.param("05/06/31", None, id="two digits that say a year to come"),
        pytest.param("05/06/12", "2012-05-06", id="two digits of a year gone by"),
        pytest.param("11/23/1906", "1906-11-23", id="a hundred and twenty years ago"),
        pytest.param("11/22/1906", None, id="longer ago than that"),
        pytest.param("01/01/1900", None, id="what a database writes for no day"),
        pytest.param("0/0/00", None, id="no day at all"),
        pytest.param("02/30/2014", None, id="a day that there is not"),
    ],
)
def test_nobody_is_born_after_today_or_too_long_ago(text: str, born: str | None) -> None:
    document: dict[str, Any] = simple_mapper()
    document["entities"]["students"]["fields"]["birth_date"] = {
        "column": "born", "formats": ["%m/%d/%y", "%m/%d/%Y"],
    }  # fmt: skip
    files = {"students.csv": f"id,school,first,last,born\n1,A,Ann,Lee,{text}\n"}
    with open_roster(make_mapper(document), files, today=TODAY) as roster:
        roster.resolve(None)
        (row,) = roster.rows("students")
        rejects = roster.rejects()
    assert row["birth_date"] == born
    assert [(r.code, r.severity, r.column) for r in rejects] == (
        [] if born else [("row.value", "warning", "born")]
    )
