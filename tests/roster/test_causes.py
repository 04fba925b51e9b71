"""Why so many rows go or change at once: the cause that is named, its evidence, and never a false one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files as resources

import pytest

from reconciler.mapping.model import Mapper
from tests.roster import school_days as days
from tests.roster.remembering import MAPPER, Memory
from tests.roster.running import make_mapper
from tests.roster.school_days import Damage, District


def preferring() -> Mapper:
    """The generic mapper, but for a first name that is the nickname where there is one."""
    text = (resources("reconciler.mapping") / "builtin" / "generic.json").read_text()
    document = json.loads(text) | {"name": "preferring"}
    document["entities"]["students"]["fields"]["first_name"] = {"column": ["nickname", "first_name"]}
    return make_mapper(document)


def leaving_out() -> Mapper:
    """The generic mapper, but for students whose homeroom is W: they have withdrawn."""
    text = (resources("reconciler.mapping") / "builtin" / "generic.json").read_text()
    document = json.loads(text) | {"name": "leaving-out"}
    document["entities"]["students"]["where"] = [{"column": "homeroom", "not_in": ["W"]}]
    return make_mapper(document)


def marked_as_withdrawn(day: District) -> dict[str, bytes]:
    for student in day.students[::5]:
        student["homeroom"] = "W"
    return day.write()


WITH_IDS = days.first_day()
WITHOUT_IDS = days.first_day(made_ids=True)
ACCENTED = days.accented(days.first_day())

CASES: dict[str, tuple[District, Damage, str, str, Callable[[], Mapper]]] = {
    "leading zeros": (WITH_IDS, days.leading_zeros, "leading-zeros",
        "leading zeros: 200 of 200 removed ids are there without them", lambda: MAPPER),
    "leading zeros of contacts": (WITH_IDS, days.leading_zeros_of_contacts, "leading-zeros",
        "leading zeros: 326 of 326 removed ids are there without them", lambda: MAPPER),
    "other ids": (WITH_IDS, days.rekeyed, "ids-rekeyed",
        "ids were changed: 200 new ids came as 200 went, and 200 of the removed students are there under a "
        "new id, by name and birth date", lambda: MAPPER),
    "other ids of contacts": (WITH_IDS, days.rekeyed_contacts, "ids-rekeyed",
        "ids were changed: 326 new ids came as 326 went, and 326 of the removed contacts are there under a "
        "new id, by name and phone or e-mail", lambda: MAPPER),
    "a school": (WITH_IDS, days.school_absent, "school-absent",
        "the files have no student of school 0042 (46 students before)", lambda: MAPPER),
    "a school's zeros": (WITH_IDS, days.school_renumbered, "school-renumbered",
        "a school's id: 0043 is 43 now (55 students), 0044 is 44 now (50 students), 0041 is 41 now (49 "
        "students), and that is not mapped", lambda: MAPPER),
    "a school's id": (WITH_IDS, days.school_replaced, "school-unmapped",
        "the removed students are at schools that are not mapped: 7100 (55 students)", lambda: MAPPER),
    "a cut file": (WITH_IDS, days.cut, "upload-cut",
        "an upload that was cut: the students rows that are missing are the last 30 % of the file; "
        "students.csv is 31 % smaller than at the last sync", lambda: MAPPER),
    "a cut file of contacts": (WITH_IDS, days.contacts_cut, "upload-cut",
        "an upload that was cut: the contacts rows that are missing are the last", lambda: MAPPER),
    "a new year": (WITH_IDS, days.rollover, "year-rollover",
        "a new school year: 186 of 186 students who stay are one grade higher; 14 of 14 who left were in "
        "grade 12", lambda: MAPPER),
    "a new year, and a school gone": (WITH_IDS, days.rollover_without_seniors, "year-rollover",
        "a new school year: 150 of 150 students who stay are one grade higher", lambda: MAPPER),
    "dates": (WITH_IDS, days.dates_flipped, "date-format",
        "the format of birth_date (column 'birth_date' of students.csv): 73 of 197 changed students "
        "have day and month exchanged in it, and of "
        "124 it can no longer be read", lambda: MAPPER),
    "an empty column": (WITH_IDS, days.column_emptied, "column-emptied",
        "an empty column: grade (column 'grade' of students.csv) was filled in "
        "100 % of the stored students and is filled in 1 % now",
        lambda: MAPPER),
    "empty phones": (WITHOUT_IDS, days.phones_emptied, "column-emptied",
        "an empty column: phone (column 'phone' of contacts.csv) was filled in "
        "100 % of the stored contacts and is filled in 0 % now",
        lambda: MAPPER),
    "shifted phones": (WITHOUT_IDS, days.phones_shifted, "numbers-changed",
        "other phones or e-mails: ", lambda: MAPPER),
    "exchanged columns": (WITH_IDS, days.columns_exchanged, "columns-swapped", "exchanged columns: ",
        lambda: MAPPER),
    "garbled letters": (ACCENTED, days.mojibake, "encoding-changed",
        "the encoding: letters beyond ASCII came out as others in 200 of 200 changed students",
        lambda: MAPPER),
    "letters lost": (ACCENTED, days.question_marks, "encoding-changed",
        "the encoding: letters beyond ASCII came out as others in 200 of 200 changed students",
        lambda: MAPPER),
    "garbled names of contacts": (WITHOUT_IDS, days.mojibake, "encoding-changed",
        "the encoding: letters beyond ASCII came out as others in 67 of 67 removed contacts",
        lambda: MAPPER),
    "a new column of ids": (WITHOUT_IDS, days.contact_ids_appear, "header-changed",
        "the header: contacts.csv has the new column 'id', and 326 ids differ", lambda: MAPPER),
    "a new column of names": (WITH_IDS, days.preferred_names_appear, "header-changed",
        "the header: students.csv has the new column 'nickname', and first_name changed in most rows",
        preferring),
    "another delimiter": (WITH_IDS, days.gone_with_another_delimiter, "format-changed",
        "the format of the export: students.csv was utf-8 and comma-delimited, is utf-8 and "
        "semicolon-delimited", lambda: MAPPER),
    "the mapper's conditions": (WITH_IDS, marked_as_withdrawn, "filtered",
        "the mapper's conditions: 40 of 40 removed students are in the files, and left out by homeroom",
        leaving_out),
    "another district": (WITH_IDS, days.another_district, "other-people",
        "other people: 200 new students came as 200 of 200 went, and few of them are the same by name; the "
        "files may be another district's", lambda: MAPPER),
    "other values": (WITH_IDS, days.values_replaced, "values-changed",
        "a column's values changed in most rows: homeroom in 200 of 200 changed students", lambda: MAPPER),
    "true departures": (WITH_IDS, days.departures, "departures",
        "truly gone: rows of 4 of 4 schools are missing, 170 of 170 others are as they were, students.csv "
        "has 170 rows, 200 before", lambda: MAPPER),
}  # fmt: skip


_STARTED: dict[tuple[int, str], Memory] = {}


def remembered(district: District, mapper: Mapper) -> Memory:
    """What is stored of a district before the night on which something happens; made once for all cases."""
    key = (id(district), mapper.name)
    if key not in _STARTED:
        _STARTED[key] = started(district, mapper)
    return _STARTED[key]


def started(district: District, mapper: Mapper = MAPPER) -> Memory:
    memory = Memory()
    memory.take(district.write(), mapper)
    return memory


@pytest.mark.parametrize("case", CASES)
def test_each_cause_is_named_with_evidence_that_tells_of_nobody(case: str) -> None:
    district, damage, code, evidence, mapper = CASES[case]
    cause = remembered(district, mapper()).cause(damage(district.copy()), mapper())
    assert cause is not None
    assert (cause.code, str(cause)[: len(evidence)]) == (code, evidence)
    columns = ("first_name", "last_name", "birth_date", "phone", "email")
    people = {row[c] for row in (*district.students, *district.contacts) for c in columns if c in row}
    assert not [value for value in people if value in str(cause)]


@pytest.mark.parametrize("case", CASES)
def test_an_ordinary_day_on_top_hides_no_cause(case: str) -> None:
    district, damage, code, _, mapper = CASES[case]
    cause = remembered(district, mapper()).cause(
        damage(days.ordinary_day(district, seed=len(case))), mapper()
    )
    assert cause is not None
    assert cause.code == code


@pytest.mark.parametrize(
    ("district", "count"), [(WITH_IDS, 20), (WITHOUT_IDS, 4)], ids=["with ids", "without"]
)
def test_ordinary_days_are_not_held(district: District, count: int) -> None:
    memory, today = started(district), district
    for seed in range(count):
        today = days.ordinary_day(today, seed)
        assert memory.take(today.write()) is None


def test_a_change_of_letter_case_alone_is_said_to_be_one() -> None:
    files = {name: content.upper() for name, content in WITH_IDS.write().items()}
    header = days.table(days.STUDENT_COLUMNS, []).strip()
    files["students.csv"] = files["students.csv"].replace(header.upper(), header, 1)
    cause = started(WITH_IDS).cause(
        {"students.csv": files["students.csv"], "contacts.csv": WITH_IDS.write()["contacts.csv"]}
    )
    assert cause is not None
    assert cause.code == "values-changed"
    assert "last_name in 200 (letter case only)" in str(cause)


def test_a_part_of_a_series_that_is_missing_is_named() -> None:
    text = (resources("reconciler.mapping") / "builtin" / "generic.json").read_text()
    document = json.loads(text) | {"name": "parts"}
    document["files"]["students"] = {"pattern": "students-*.csv", "several": "all"}
    mapper, memory = make_mapper(document), Memory()
    half = [
        days.table(days.STUDENT_COLUMNS, part) for part in (WITH_IDS.students[:120], WITH_IDS.students[120:])
    ]
    memory.take({"students-a.csv": half[0], "students-b.csv": half[1]}, mapper)
    cause = memory.cause({"students-a.csv": half[0]}, mapper)
    assert cause is not None
    assert (cause.code, str(cause)) == (
        "file-missing", "students-b.csv was there at the last sync and is not now",
    )  # fmt: skip


def test_a_snapshot_of_an_earlier_version_names_what_it_can() -> None:
    memory = started(WITH_IDS)
    memory.snapshot = replace(memory.snapshot, formats={}, rows={}, order={})
    cause = memory.cause(days.cut(WITH_IDS.copy()))
    assert cause is not None
    assert cause.code == "departures"


def test_a_file_without_accents_today_is_no_other_format() -> None:
    """Windows-1252 without an accent is UTF-8 as well."""
    memory = Memory()
    memory.take({name: content.decode().encode("cp1252") for name, content in WITH_IDS.write().items()})
    files = {name: content.decode().encode("ascii", "ignore")
             for name, content in days.departures(WITH_IDS.copy()).items()}  # fmt: skip
    cause = memory.cause(files)
    assert memory.snapshot.formats["students"] == ("cp1252", "comma-delimited")
    assert cause is not None
    assert cause.code == "departures"
