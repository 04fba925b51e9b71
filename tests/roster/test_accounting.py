"""Every row that was read is somewhere: taken, rejected, skipped or a duplicate, and it is said which."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import MapperError, RosterError
from reconciler.roster.delta import RowCounts, SisSchool
from reconciler.roster.judging import compare
from tests.roster.running import make_mapper, open_roster, resolve, simple_mapper

HEADER = "id,school,first_name,last_name,grade\n"
ANN = "1,A,Ann,Lee,3\n"
BOB = "2,A,Bob,Ray,4\n"


def students(*rows: str) -> dict[str, str]:
    return {"students.csv": HEADER + "".join(rows)}


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        pytest.param([ANN, BOB], {"added": 2}, id="good rows"),
        pytest.param([ANN, ANN, BOB], {"added": 2, "duplicate": 1}, id="the same row twice"),
        pytest.param([ANN, "1,A,Ann,Lee,\n"], {"added": 1, "duplicate": 1}, id="an empty cell agrees"),
        pytest.param([ANN, "1,A,Ann,Lee,4\n", BOB], {"added": 1, "rejected": 2}, id="a contradiction"),
        pytest.param([ANN, "1,B,Ann,Lee,3\n"], {"rejected": 2}, id="one child at two mapped schools"),
        pytest.param([ANN, "2,A,Bob,,4\n"], {"added": 1, "rejected": 1}, id="a required cell is empty"),
        pytest.param([ANN, "2,,Bob,Ray,4\n"], {"added": 1, "rejected": 1}, id="no school"),
        pytest.param([ANN, ",A,Bob,Ray,4\n"], {"added": 1, "rejected": 1}, id="no id"),
        pytest.param([ANN, "2,Z,Bob,Ray,4\n"], {"added": 1, "skipped": 1}, id="an unmapped school"),
        pytest.param([ANN, ",Z,,,\n"], {"added": 1, "skipped": 1}, id="an unmapped school, all else missing"),
        pytest.param([ANN, "1,Z,Al,Lo,9\n"], {"added": 1, "skipped": 1}, id="one child, one school unmapped"),
        pytest.param([ANN, "2,A,Bob\n", "x\n"], {"added": 1, "rejected": 2}, id="broken lines"),
        pytest.param(["\n", ANN, ",,,,\n"], {"added": 1}, id="blank lines are no rows"),
        pytest.param([], {}, id="nobody"),
    ],
)
def test_each_row_is_counted_once(rows: list[str], counts: dict[str, int]) -> None:
    result = resolve("generic", students(*rows), mapping={"A": "lincoln", "B": "grant"})
    assert result.counts["students"] == RowCounts(**counts)


def test_a_reject_names_file_line_column_and_key() -> None:
    result = resolve(
        "generic", students(ANN, "\n", "2,A,Bob,,4\n", "3,A,Cy,Kay,1\n", "3,A,Cy,Kay,2\n", "x,y\n")
    )
    assert [(r.file, r.row, r.column, r.code, r.key) for r in result.rejects] == [
        ("students.csv", 7, "", "row.ragged", ""),
        ("students.csv", 4, "last_name", "row.required", "2"),
        ("students.csv", 5, "grade", "row.conflict", "3"),
        ("students.csv", 6, "grade", "row.conflict", "3"),
    ]
    assert "Bob" not in str(result.rejects)


def test_a_contact_row_that_is_rejected_is_listed_once_although_it_is_a_relationship_as_well() -> None:
    files = students(ANN) | {"contacts.csv": "id,student,name\nc1,1,\nc2,1,Pat Lee\n"}
    result = resolve("generic", files)
    assert result.rejected() == [("contacts", 2, "row.required", "name")]
    assert result.counts["contacts"] == RowCounts(added=1, rejected=1)
    assert result.counts["relationships"] == RowCounts(added=1, rejected=1)


def test_a_value_that_does_not_fit_its_type_is_left_out_with_a_warning_and_its_row_is_taken() -> None:
    files = {"students.csv": "id,school,first_name,last_name,birth_date\n1,A,Ann,Lee,2013-02-30\n"}
    result = resolve("generic", files)
    assert result.students[0]["birth_date"] is None
    (warning,) = result.rejects
    assert (warning.severity, warning.code, warning.row, warning.column) == (
        "warning",
        "row.value",
        2,
        "birth_date",
    )
    assert result.counts["students"] == RowCounts(added=1)


def test_a_required_value_that_does_not_fit_its_type_rejects_its_row() -> None:
    document = simple_mapper()
    document["entities"]["students"]["fields"]["id"] = {"column": "id", "type": "integer"}
    result = resolve(document, {"students.csv": "id,school,first,last\n1e3,A,Ann,Lee\n7,A,Bob,Ray\n"})
    assert result.ids() == ["7"]
    assert result.rejected() == [("students", 2, "row.required", "id")]


CONTACTS = "id,student,name,phone\n"
TWICE = {"added": 1, "duplicate": 1}


@pytest.mark.parametrize(
    ("contacts", "counts", "relationships"),
    [
        pytest.param("c1,1,Pat Lee,\n", {"added": 1}, {"added": 1}, id="a contact of a child"),
        pytest.param("c1,1,Pat Lee,\nc1,2,Pat Lee,\n", TWICE, {"added": 2}, id="of two"),
        pytest.param("c1,,Pat Lee,\n", {"added": 1}, {}, id="of no child, with an id"),
        pytest.param(",,Pat Lee,5551234567\n", {"rejected": 1}, {}, id="of no child, without an id"),
        pytest.param("c1,404,Pat Lee,\n", {"rejected": 1}, {"rejected": 1}, id="of nobody known"),
        pytest.param("c1,9,Pat Lee,\n", {"skipped": 1}, {"skipped": 1}, id="of a skipped child"),
        pytest.param("c1,1,Pat Lee,\nc1,1,Pat Lee,\n", TWICE, TWICE, id="the same row twice"),
        pytest.param("c1,1,Pat Lee,\nc1,2,Mo Ray,\n", {"rejected": 2}, {"rejected": 2}, id="a contradiction"),
        pytest.param("c1,1,Pat Lee,\nc1,9,Mo Ray,\n", {"added": 1, "skipped": 1}, {"added": 1, "skipped": 1},
                     id="a contradiction with a skipped row is none"),
    ],
)  # fmt: skip
def test_a_contact_counts_as_its_student_does(
    contacts: str, counts: dict[str, int], relationships: dict[str, int]
) -> None:
    files = students(ANN, BOB, "9,Z,Zoe,Zed,1\n") | {"contacts.csv": CONTACTS + contacts}
    result = resolve("generic", files, mapping={"A": "lincoln"})
    assert result.counts["contacts"] == RowCounts(**counts)
    assert result.counts["relationships"] == RowCounts(**relationships)


@pytest.mark.parametrize(
    ("relationships", "counts"),
    [
        pytest.param("1,c1,mother\n", {"added": 1}, id="both ends are there"),
        pytest.param("1,c1,mother\n1,c1,\n", {"added": 1, "duplicate": 1}, id="twice, and they agree"),
        pytest.param("1,c1,mother\n1,c1,aunt\n", {"rejected": 2}, id="twice, and they contradict"),
        pytest.param("1,c404,mother\n", {"rejected": 1}, id="no such contact"),
        pytest.param("404,c1,mother\n", {"rejected": 1}, id="no such student"),
        pytest.param("9,c1,mother\n", {"skipped": 1}, id="a student at an unmapped school"),
        pytest.param("9,c9,mother\n", {"skipped": 1}, id="a contact of only such students"),
        pytest.param(",c1,mother\n", {"rejected": 1}, id="no student named"),
        pytest.param("1,,mother\n", {"rejected": 1}, id="no contact named"),
    ],
)
def test_a_relationship_needs_both_of_its_ends(relationships: str, counts: dict[str, int]) -> None:
    files = students(ANN, "9,Z,Zoe,Zed,1\n") | {
        "contacts.csv": "id,name\nc1,Pat Lee\nc9,Mo Zed\n",
        "relationships.csv": "student,contact,relationship\n" + relationships,
    }
    result = resolve("generic", files, mapping={"A": "lincoln"})
    assert result.counts["relationships"] == RowCounts(**counts)


def test_a_contact_of_only_skipped_students_is_skipped_with_them() -> None:
    files = students(ANN, "9,Z,Zoe,Zed,1\n") | {
        "contacts.csv": "id,name\nc1,Pat Lee\nc9,\n",
        "relationships.csv": "student,contact\n1,c1\n9,c9\n",
    }
    result = resolve("generic", files, mapping={"A": "lincoln"})
    assert result.counts["contacts"] == RowCounts(added=1, skipped=1)
    assert not result.rejects


def test_rights_of_rows_that_fold_are_what_one_of_them_says_and_a_contradiction_rejects_both() -> None:
    header = "id,student,name,may_pick_up,custody_alert\n"
    agree = resolve(
        "generic", students(ANN) | {"contacts.csv": header + "c,1,Pat Lee,,yes\nc,1,Pat Lee,no,\n"}
    )
    (row,) = agree.rows["relationships"]
    assert (row["may_pick_up"], row["emergency"], row["custody_alert"]) == ("no", "unknown", "yes")
    differ = resolve(
        "generic", students(ANN) | {"contacts.csv": header + "c,1,Pat Lee,yes,\nc,1,Pat Lee,no,\n"}
    )
    assert differ.rows["relationships"] == []
    assert differ.counts["relationships"] == RowCounts(rejected=2)


def test_two_schools_of_the_sis_may_be_one_building() -> None:
    rows = students(ANN, "2,B,Bob,Ray,4\n")
    result = resolve("generic", rows, mapping={"A": "lincoln", "B": "lincoln"})
    assert [(row[0], row[1], row[2]) for row in result.upserts["students"]] == [
        ("1", "lincoln", "A"),
        ("2", "lincoln", "B"),
    ]
    assert [row["school"] for row in result.students] == ["A", "B"]


def test_where_two_sources_know_one_person_the_first_may_be_preferred() -> None:
    files = {
        "schools.csv": "School_id,School_name\nA,Lincoln\n",
        "students.csv": "Student_id,School_id,First_name,Last_name\n1,A,Ann,Lee\n",
        "teachers.csv": "Teacher_id,School_id,First_name,Last_name,Title\nt1,A,Tim,Poe,Math\n",
        "staff.csv": "Staff_id,School_id,First_name,Last_name,Title\n"
        "t1,A,Timothy,Poe,Coach\ns1,A,Sue,Fox,Nurse\n",
    }
    result = resolve("clever", files)
    assert [(row["id"], row["first_name"], row["role"]) for row in result.rows["staff"]] == [
        ("s1", "Sue", "Nurse"),
        ("t1", "Tim", "Math"),
    ]
    assert result.counts["staff"] == RowCounts(added=2, duplicate=1)


def test_schools_are_learned_from_their_own_file_and_from_students_whether_mapped_or_not() -> None:
    files = students(ANN, BOB, "3,Z,Cy,Kay,5\n") | {
        "schools.csv": "id,name,type\nA,Lincoln,elementary\nB,Grant,\n"
    }
    known = [SisSchool("A", "Lincoln", "elementary"), SisSchool("B", "Old name")]
    result = resolve("generic", files, mapping={"A": "lincoln"}, known_schools=known)
    assert result.schools == [
        SisSchool("A", "Lincoln", "elementary", "", 2),
        SisSchool("B", "Grant"),
        SisSchool("Z", students=1),
    ]
    assert result.counts["schools"] == RowCounts(changed=1, unchanged=1)


def test_broken_lines_of_a_file_that_several_entities_read_count_for_one_of_them() -> None:
    header = "School_id,Student_id,First_name,Last_name,Contact_name,Contact_phone\n"
    files = {
        "schools.csv": "School_id,School_name\nA,Lincoln\n",
        "students.csv": header + "A,1,Ann,Lee,Pat Lee,5551234567\nA,2,Bob\n",
    }
    result = resolve("clever", files)
    assert result.counts["students"].rejected == 1
    assert result.counts["contacts"].rejected == 0
    assert [(r.entity, r.row) for r in result.rejects] == [("students", 3)]


def test_a_broken_line_of_a_file_that_is_only_joined_is_reported_too() -> None:
    result = resolve("oneroster-1.1", ONEROSTER | {"demographics.csv": "sourcedId,birthDate,sex\n1\n"})
    assert [(r.entity, r.file, r.row) for r in result.rejects] == [
        ("students", "demographics.csv", 2),
        ("students", "users.csv", 2),
    ]


ONEROSTER = {
    "orgs.csv": "sourcedId,name,type\nA,Lincoln,school\n",
    "users.csv": "sourcedId,orgSourcedIds,role,givenName,familyName,email\n"
    "1,A,student,Ann,Lee,\n2,A,student,Bo,Ray,\n",
}


def test_a_row_whose_line_in_a_joined_file_could_not_be_read_is_not_taken_without_it() -> None:
    result = resolve(
        "oneroster-1.1", ONEROSTER | {"demographics.csv": "sourcedId,birthDate,sex\n1\n2,2013-01-02,F\n"}
    )
    assert [(row["id"], row["birth_date"]) for row in result.students] == [("2", "2013-01-02")]
    assert result.rejected()[1] == ("students", 2, "row.joined", "demographics")


def test_detected_encodings_and_delimiters_are_reported() -> None:
    content = (HEADER + "1,A,Zoë,Lee,3\n").replace(",", ";").encode("cp1252")
    result = resolve("generic", {"students.csv": content})
    assert result.students[0]["first_name"] == "Zoë"
    assert result.notices == ("students.csv is read as cp1252", "students.csv is delimited by semicolon")


# -- files --------------------------------------------------------------------------------------------------


def several(how: str) -> dict[str, Any]:
    document = simple_mapper()
    document["files"]["students"] = {"pattern": "students*.csv"} | ({"several": how} if how else {})
    return document


SERIES = {
    "students-2.csv": "ID,last,first,school\n2,Ray,Bob,A\n",
    "students-1.csv": "id,school,first,last\n1,A,Ann,Lee\n",
}


def test_a_series_of_files_is_read_as_one_whatever_the_order_of_its_columns() -> None:
    result = resolve(several("all"), SERIES)
    assert [(row["id"], row["first_name"]) for row in result.students] == [("1", "Ann"), ("2", "Bob")]


def test_a_reject_names_the_file_of_the_series() -> None:
    result = resolve(several("all"), SERIES | {"students-2.csv": "ID,last,first,school\n2,,Bob,A\n"})
    assert [(r.file, r.row) for r in result.rejects] == [("students-2.csv", 2)]


def test_of_dated_files_the_newest_is_read() -> None:
    assert resolve(several("newest"), SERIES).ids() == ["2"]


@pytest.mark.parametrize(
    ("how", "files", "code"),
    [
        pytest.param("", SERIES, "csv.ambiguous", id="several match"),
        pytest.param("", {"other.csv": "x\n"}, "sftp.no-files", id="none matches"),
        pytest.param("all", SERIES | {"students-3.csv": "id,school\n"}, "csv.header", id="lacking"),
        pytest.param("all", SERIES | {"students-3.csv": "id,id,school,first,last"}, "csv.header", id="twice"),
        pytest.param("all", SERIES | {"students-3.csv": ""}, "csv.header", id="one is empty"),
        pytest.param("", {"students.csv": "id,school,first,last\n2,A"}, "csv.truncated", id="one is cut"),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_are_refused(how: str, files: dict[str, str], code: str) -> None:
    with pytest.raises(RosterError) as raised:
        resolve(several(how), files)
    assert raised.value.code == code
    assert raised.value.hint


def test_the_patterns_of_files_ignore_case() -> None:
    assert resolve("generic", {"STUDENTS.CSV": HEADER + ANN}).ids() == ["1"]


def test_a_file_that_no_entity_reads_may_hold_anything() -> None:
    document = simple_mapper()
    assert resolve(
        document, {"students.csv": "id,school,first,last\n1,A,Ann,Lee\n", "extra.csv": "x\n1\n"}
    ).ids()


@pytest.mark.parametrize("content", ['""\n1\n', ',"",\n', '"\n1\n'])
def test_a_file_that_no_entity_reads_still_needs_a_header(content: str) -> None:
    files = {"students.csv": "id,school,first,last\n1,A,Ann,Lee\n", "extra.csv": content}
    with pytest.raises(RosterError) as raised:
        resolve(simple_mapper(), files)
    assert raised.value.code == "csv.header"


def test_a_column_that_was_read_before_and_is_gone_is_an_error_and_another_is_not() -> None:
    mapper = make_mapper("generic")
    known = {"students": ["ID", "school", "first_name", "last_name", "Grade", "shoe_size"]}
    with open_roster(mapper, students(ANN), known_columns=known) as roster:
        assert roster.columns == {"students": ("id", "school", "first_name", "last_name", "grade")}
    files = {"students.csv": "id,school,first_name,last_name\n1,A,Ann,Lee\n"}
    with pytest.raises(MapperError) as raised, open_roster(mapper, files, known_columns=known):
        pass
    assert raised.value.code == "mapper.column"
    assert raised.value.message == "students.csv no longer has the column 'grade' of the last sync"


def test_columns_that_came_where_one_is_gone_are_named_for_one_of_them_may_be_it() -> None:
    known = {"students": ["id", "school", "first_name", "last_name", "grade"]}
    files = {"students.csv": "id,school,first_name,last_name,grade_level\n1,A,Ann,Lee,3\n"}
    with (
        pytest.raises(MapperError) as raised,
        open_roster(make_mapper("generic"), files, known_columns=known),
    ):
        pass
    assert raised.value.message.endswith("the column 'grade' of the last sync; new there: 'grade_level'")


def test_a_joined_file_that_was_read_before_and_is_gone_is_an_error() -> None:
    known = {"demographics": ["sourcedId", "birthDate"]}
    with (
        pytest.raises(RosterError) as raised,
        open_roster(make_mapper("oneroster-1.1"), ONEROSTER, known_columns=known),
    ):
        pass
    assert raised.value.code == "sftp.no-files"


TEXTS = [
    "a\r\nb", "a\rb", "a\n\nb", 'a"b""c', ",;|\t.", "\\n", "\\", "NULL",
    "a\u2028b\u0085c", "\U0001f9d2", "\x01\x1fx", "é" * 100_000,
]  # fmt: skip


def test_every_text_comes_out_as_it_went_in() -> None:
    quoted = ['"' + text.replace('"', '""') + '"' for text in TEXTS]
    rows = [f"{n},A,x,{text},\n" for n, text in enumerate(quoted, 10)]
    result = resolve("generic", students(*rows))
    assert [row["last_name"] for row in result.students] == TEXTS
    assert result.counts["students"] == RowCounts(added=len(TEXTS))
    assert resolve("generic", students(*rows), before=result.stored()).counts["students"].unchanged == len(
        TEXTS
    )


def test_a_file_may_have_very_many_columns() -> None:
    extra = ",".join(f"x{n}" for n in range(3000))
    files = {"students.csv": f"id,school,first_name,last_name,{extra}\n1,A,Ann,Lee,{extra}\n"}
    assert resolve("generic", files).ids() == ["1"]


def test_a_row_that_is_not_accounted_for_is_a_fault_of_ours_and_stops_the_sync(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = compare.rows_read
    monkeypatch.setattr(compare, "rows_read", lambda db: counted(db) | {"students": 3})
    with pytest.raises(RosterError, match="3 rows were read, but 2 are accounted for") as raised:
        resolve("generic", students(ANN, BOB), mapping={"A": "a"})
    assert raised.value.code == "csv.accounting"
