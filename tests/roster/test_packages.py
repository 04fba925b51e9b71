"""OneRoster's packages as rows: what a delta changes, and that any order of them comes to bulk files."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError, RosterError
from reconciler.roster.packages.manifest import read_manifest
from tests.roster.packages import HEADERS, District, everything, manifest, table
from tests.roster.running import make_mapper, open_roster

ORGS = {"S1": ("Lincoln", "school"), "S2": ("Grant", "school")}
USERS = {
    "k1": ("S1", "student", "Ada", "Ash", "", "p1"),
    "k2": ("S1", "student", "Bo", "Birch", "", "p1,p2"),
    "k3": ("S2", "student", "Cy", "Cole", "", ""),
    "p1": ("S1", "parent", "Pat", "Ash", "202-555-0101", ""),
    "p2": ("S1", "parent", "Quin", "Birch", "202-555-0102", ""),
}
BIRTHS = {"k1": ("2015-01-03", "female"), "k2": ("2015-02-03", "male")}
BULK = {"orgs": "bulk", "users": "bulk", "demographics": "bulk"}
FILES = {
    "orgs": table("orgs", ORGS),
    "users": table("users", USERS),
    "demographics": table("demographics", BIRTHS),
}
ABSENT = dict.fromkeys(BULK, "absent")


@pytest.fixture
def oak() -> District:
    district = District()
    district.take(FILES, BULK)
    assert district.active("relationships") == {"k1-p1", "k2-p1", "k2-p2"}
    return district


def refused(district: District, files: Mapping[str, str], modes: Mapping[str, str]) -> ReconcilerError:
    with pytest.raises(ReconcilerError) as error:
        district.take(files, {**ABSENT, **modes})
    return error.value


def delta(district: District, users: str) -> Any:
    return district.take({"users": users}, {**ABSENT, "users": "delta"})


# -- rows of a delta --------------------------------------------------------------------------------------


def test_rows_of_one_id_that_contradict_each_other_change_nothing(oak: District) -> None:
    header, one = table("users", {"k1": ("S1", "student", "Ada", "One", "", "p1")}).splitlines()
    other = one.replace("One", "Two")
    result = delta(oak, "\n".join([header, one, other, ""]))
    assert [(r.file, r.row, r.code) for r in result.rejects] == [
        ("users.csv", 2, "row.conflict"),
        ("users.csv", 3, "row.conflict"),
    ]
    assert result.counts["students"].rejected == 2
    assert {row["id"]: row["last_name"] for row in result.students}["k1"] == "Ash"
    assert result.removed() == []


def test_a_row_that_is_there_twice_is_one(oak: District) -> None:
    header, one = table("users", {"k1": ("S1", "student", "Ada", "One", "", "p1")}).splitlines()
    result = delta(oak, "\n".join([header, one, one, ""]))
    assert result.rejects == []
    assert {row["id"]: row["last_name"] for row in result.students}["k1"] == "One"


def test_a_row_without_an_id_changes_nobody_and_is_told(oak: District) -> None:
    result = delta(oak, table("users", {"": ("S1", "student", "Nobody", "Known", "", "")}))
    assert [(r.row, r.code) for r in result.rejects] == [(2, "row.required")]
    assert len(result.students) == 3


def test_a_line_that_cannot_be_read_leaves_what_was_known(oak: District) -> None:
    before = everything(delta(oak, table("users", {})))
    result = delta(oak, table("users", {}) + "k1,,S1\n")
    assert [(r.row, r.code) for r in result.rejects] == [(2, "row.ragged")]
    assert everything(result) == before


def test_a_line_of_a_bulk_file_that_could_not_be_read_keeps_its_person_through_deltas(oak: District) -> None:
    users = table("users", {k: v for k, v in USERS.items() if k != "k3"})
    header, *lines = users.splitlines()
    whole = [f"{header},password", *(f"{line},hunter2" for line in lines)]
    oak.take({**FILES, "users": "\n".join([*whole, "k3,,S2,student,Cy,Cole,,,hunter2,more", ""])}, BULK)
    for _ in range(2):
        result = delta(oak, table("users", {"k1": USERS["k1"]}))
        assert "k3" in oak.active()
        assert [r.file for r in result.rejects] == ["users.csv of an earlier package"]
    (line,) = oak.kept["users"].unread
    assert "k3" in line.cells
    assert "hunter2" not in line.cells
    result = delta(oak, table("users", {"k3": ("S2", "student", "Cy", "New", "", "")}))
    assert result.rejects == []
    assert oak.kept["users"].unread == ()
    assert "k3" in oak.active()


def test_whom_a_delta_deletes_goes_also_where_an_unread_line_keeps_everybody(oak: District) -> None:
    users = table("users", {k: v for k, v in USERS.items() if k != "k3"})
    oak.take({**FILES, "users": users + "S2,student\n"}, BULK)
    assert "k3" in oak.active()
    result = delta(
        oak,
        table("users", {"k1": USERS["k1"], "p1": USERS["p1"]}, dict.fromkeys(("k1", "p1"), "tobedeleted")),
    )
    assert (oak.active(), oak.active("contacts")) == ({"k2", "k3"}, {"p2"})
    assert oak.active("relationships") == {"k2-p2"}
    assert "students" in result.blocked


def test_a_known_row_that_is_rejected_is_told_as_one_of_an_earlier_package(oak: District) -> None:
    nameless = {**USERS, "k1": ("S1", "student", "", "Ash", "", "p1")}
    oak.take({**FILES, "users": table("users", nameless)}, BULK)
    result = delta(oak, table("users", {"k9": ("S1", "student", "", "Nine", "", "")}))
    assert [(r.file, r.row, r.key) for r in result.rejects if r.entity == "students"] == [
        ("users.csv of an earlier package", 0, "k1"),
        ("users.csv", 2, "k9"),
    ]
    assert "k1" in oak.active()


def test_a_parent_whom_a_delta_deleted_may_still_be_named_by_a_child(oak: District) -> None:
    first = delta(oak, table("users", {"p1": [""] * 6}, {"p1": "tobedeleted"}))
    later = delta(oak, table("users", {"k3": USERS["k3"]}))
    for result in (first, later):
        assert result.rejects == []
        assert result.counts["relationships"].skipped == 2
    assert oak.active("contacts") == {"p2"}
    assert oak.active("relationships") == {"k2-p2"}
    delta(oak, table("users", {"p1": USERS["p1"]}, {"p1": "active"}))
    assert oak.active("relationships") == {"k1-p1", "k2-p1", "k2-p2"}


def test_a_changed_row_stays_where_it_was_so_that_the_first_of_several_stays_the_first() -> None:
    district = District(make_mapper("oneroster-1.2"))
    header = "sourcedId,status,userSourcedId,role,orgSourcedId,endDate\n"
    roles = header + "r1,,k1,student,S1,\nr2,,k1,student,S2,\n"
    users = "sourcedId,status,givenName,familyName,agentSourcedIds\nk1,,Ada,Ash,\n"
    bulk = {"orgs": "bulk", "users": "bulk", "roles": "bulk"}
    district.take({"orgs": FILES["orgs"], "users": users, "roles": roles}, bulk)
    changed = header + "r1,active,k1,student,S1,2027-06-30\n"
    result = district.take(
        {"roles": changed}, {"orgs": "absent", "users": "absent", "roles": "delta", "demographics": "absent"}
    )
    assert [row["school"] for row in result.students] == ["S1"]


def test_columns_in_another_order_and_case_are_the_same_columns(oak: District) -> None:
    users = "FAMILYNAME,role,SourcedId,phone,givenName,Status,agentSourcedIds,orgSourcedIds\n"
    result = delta(oak, users + "Cole-Hill,student,k3,,Cy,,,S2\n")
    assert {row["id"]: row["last_name"] for row in result.students}["k3"] == "Cole-Hill"


def test_a_delta_without_a_status_deletes_nobody_and_says_so(oak: District) -> None:
    result = oak.take(
        {"demographics": "sourcedId,birthDate,sex\nk3,2014-01-01,male\n"}, {**ABSENT, "demographics": "delta"}
    )
    assert {row["id"]: row["birth_date"] for row in result.students}["k3"] == "2014-01-01"
    assert any("it has no column status" in notice for notice in result.notices)


@pytest.mark.parametrize("cell", ['O"Brien, Jr', "two\nlines", "two\r\nlines", "Zoë", "x" * 70_000, "1,2;3"])
def test_what_is_kept_comes_back_as_it_was(oak: District, cell: str) -> None:
    whole = oak.take(
        {**FILES, "users": table("users", {**USERS, "k1": ("S1", "student", cell, cell, "", "p1")})}, BULK
    )
    assert everything(delta(oak, table("users", {}))) == everything(whole)


def test_only_the_columns_that_the_mapper_reads_are_kept(oak: District) -> None:
    users = FILES["users"].replace("\n", ",hunter2\n").replace("hunter2", "password", 1)
    oak.take({**FILES, "users": users}, BULK)
    import gzip  # noqa: PLC0415

    assert b"hunter2" not in gzip.decompress(oak.kept["users"].content())
    assert ("password", False) in oak.kept["users"].columns


# -- what is refused --------------------------------------------------------------------------------------

ONE = {"users": table("users", {"k1": USERS["k1"]})}
REFUSED: dict[str, tuple[Mapping[str, str], Mapping[str, str], str, str]] = {
    "bulk, and not there": (
        {"orgs": FILES["orgs"]}, {"orgs": "bulk", "users": "bulk"}, "csv.manifest", "no such file",
    ),
    "delta, and not there": ({}, {"users": "delta"}, "csv.manifest", "no such file"),
    "an optional file that is bulk, and not there": (
        {}, {"demographics": "bulk"}, "csv.manifest", "no such file",
    ),
    "an unknown word": (ONE, {"users": "full"}, "csv.manifest", "none of bulk, delta and absent"),
    "two words": (ONE, {"users": "delta", "Users": "bulk"}, "csv.manifest", "both delta and bulk"),
    "a delta without its key": (
        {"users": ONE["users"].replace("sourcedId", "id", 1)}, {"users": "delta"}, "csv.manifest",
        "without the column 'sourcedId'",
    ),
    "a delta that lost a column": (
        {"users": "sourcedId,status,role\nk1,,student\n"}, {"users": "delta"}, "mapper.column",
        "no longer has the column",
    ),
    "a bulk file without rows": (
        {"demographics": table("demographics", {})}, {"demographics": "bulk"}, "csv.empty", "2 were known",
    ),
    "a delta that ends in a row": ({"users": ONE["users"] + "k2,,S1,stud"}, {"users": "delta"},
                                   "csv.truncated", "ends in the middle of line 3"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "modes", "code", "said"), REFUSED.values(), ids=REFUSED)
def test_a_package_that_makes_no_sense_is_refused(
    oak: District, files: Mapping[str, str], modes: Mapping[str, str], code: str, said: str
) -> None:
    error = refused(oak, files, modes)
    assert (error.code, said in error.message) == (code, True), error.message


@pytest.mark.parametrize("mode", ["delta", "absent"])
def test_without_a_bulk_file_before_it_nothing_is_known_to_change(mode: str) -> None:
    error = refused(District(), FILES, {**BULK, "users": mode})
    assert (error.code, "bulk export first" in error.hint) == ("csv.manifest", True)


def test_a_file_whose_rows_have_no_key_cannot_be_a_delta(oak: District) -> None:
    document = {
        **oak.mapper.document,
        "files": {**oak.mapper.document["files"], "users": {"pattern": "users.csv"}},
    }
    error = refused(District(make_mapper(document)), FILES, {**BULK, "users": "delta"})
    assert (error.code, '"key"' in error.hint) == ("csv.manifest", True)


def test_a_column_that_the_mapper_reads_only_now_needs_a_bulk_file(oak: District) -> None:
    users = FILES["users"].replace("\n", ",u\n").replace(",u\n", ",username\n", 1)
    oak.take({**FILES, "users": users}, BULK)
    text = make_mapper("oneroster-1.1").document
    students = text["entities"]["students"]
    fields = {**students["fields"], "student_number": {"column": "username", "optional": True}}
    document = {**text, "entities": {**text["entities"], "students": {**students, "fields": fields}}}
    oak.mapper = make_mapper(document)
    error = refused(oak, ONE, {"users": "delta"})
    assert (error.code, "the column 'username'" in error.message) == ("csv.manifest", True)
    assert oak.take({**FILES, "users": users}, BULK).students[0]["student_number"] == "u"


MANIFESTS = {
    "other cases and spaces": "PROPERTYNAME , Value\n FILE.Users , Bulk \nfile.orgs,BULK\n",
    "columns the other way round": "value,propertyName\nbulk,file.users\nbulk,file.orgs\n",
    "names with their ending": "propertyName,value\nfile.users.csv,bulk\nfile.orgs.csv,bulk\n",
    "blank words": "propertyName,value\nfile.users,\nfile.orgs,\nfile.classes,\n",
    "words for files that are not read": "propertyName,value\nfile.results,whatever\n",
}


@pytest.mark.parametrize("text", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_is_read_as_it_is_written_in_the_wild(text: str) -> None:
    with open_roster(
        make_mapper("oneroster-1.1"), {**{f"{f}.csv": t for f, t in FILES.items()}, "manifest.csv": text}
    ) as roster:
        assert roster.resolve(None)["students"].added == 3


def test_a_manifest_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(manifest(BULK).replace("value", "mode"))
    with pytest.raises(RosterError) as error:
        read_manifest(make_mapper("oneroster-1.1"), {"manifest": [("manifest.csv", path)]}, tmp_path)
    assert error.value.code == "csv.manifest"


# -- the law ----------------------------------------------------------------------------------------------

KEYS = {
    "orgs": ["S1", "S2", "S3"],
    "users": ["k1", "k2", "k3", "p1", "p2"],
    "demographics": ["k1", "k2", "p1"],
}
CELLS = {
    "name": ["Lincoln", "Grant"],
    "type": ["school"],
    "orgSourcedIds": ["S1", "S2", "S1,S2", "S2,S9"],
    "givenName": ["Ann", "Zoë"],
    "familyName": ["Lee, Jr", 'O"Brien', "two\nlines"],
    "phone": ["", "202-555-0101"],
    "birthDate": ["2013-04-05", "nonsense", ""],
    "sex": ["female", ""],
}


OF_ROLE = {
    "k": {"role": ["student"], "agentSourcedIds": ["", "p1", "p1,p2", "p9"]},
    "p": {"role": ["parent"], "agentSourcedIds": ["", "k1", "k1,k2", "k9"]},
}

Row = tuple[str, str, tuple[str, ...]]
"""sourcedId, status, and the other cells."""


def packages(random: random.Random, length: int) -> list[dict[str, tuple[str, list[Row]]]]:
    """Packages, each with a mode and rows for every file; the first one is bulk."""
    return [
        {file: some_rows(random, file, columns, is_first=not number) for file, columns in HEADERS.items()}
        for number in range(length)
    ]


def some_rows(
    random: random.Random, file: str, columns: Sequence[str], *, is_first: bool
) -> tuple[str, list[Row]]:
    mode = "bulk" if is_first else random.choice(["bulk", "delta", "delta", "absent"])
    keys = random.sample(KEYS[file], random.randint(0 if mode == "delta" else 1, len(KEYS[file])))
    statuses = ["active", "", "tobedeleted"] if mode == "delta" else [""]
    cells = ((random.choice({**CELLS, **OF_ROLE.get(k[0], {})}[c]) for c in columns) for k in keys)
    return mode, [(k, random.choice(statuses), tuple(row)) for k, row in zip(keys, cells, strict=True)]


def text_of(file: str, rows: Iterable[Row]) -> str:
    rows = list(rows)
    return table(file, {k: cells for k, _, cells in rows}, {k: status for k, status, _ in rows})


@given(st.randoms(use_true_random=False), st.integers(2, 5))
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_any_sequence_of_packages_gives_the_rows_of_the_bulk_files_that_it_comes_to(
    random: random.Random, length: int
) -> None:
    district, bulk = District(), District()
    model: dict[str, dict[str, Row]] = {file: {} for file in HEADERS}
    for package in packages(random, length):
        for file, (mode, rows) in package.items():
            if mode == "bulk":
                model[file] = {}
            for row in rows if mode != "absent" else ():
                model[file].pop(row[0], None) if row[1] == "tobedeleted" else model[file].update(
                    {row[0]: row}
                )
        files = {file: text_of(file, rows) for file, (mode, rows) in package.items() if mode != "absent"}
        result = district.take(files, {file: mode for file, (mode, _) in package.items()})
        whole = bulk.take({file: text_of(file, rows.values()) for file, rows in model.items()})
        assert everything(result) == everything(whole)
        assert {row["id"] for row in result.students} <= district.active()
