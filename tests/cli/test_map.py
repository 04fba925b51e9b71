"""`map`: a mapper over local files, rows to standard output, all else to standard error."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from reconciler.cli.main import run

ACME = {
    "name": "acme",
    "description": "Acme SIS nightly export",
    "files": {"students": {"pattern": "students*.csv"}},
    "entities": {
        "students": {
            "from": "students",
            "where": [{"column": "Status", "in": ["A", "Active"]}],
            "fields": {
                "id": "Student Number",
                "school": {"column": "School", "required": True},
                "first_name": {"column": "First", "transform": ["trim", "title"]},
                "last_name": "Last",
                "grade": {"column": "Gr", "map": {"0": "KG"}, "default": "UG"},
                "birth_date": {"column": "DOB", "type": "date", "formats": ["%m/%d/%Y", "%Y-%m-%d"]},
            },
        },
        "contacts": {
            "from": "students",
            "repeat": {"n": ["1", "2"]},
            "where": [{"column": "Contact{n} Name", "not_empty": True}],
            "fields": {
                "student": "Student Number",
                "name": "Contact{n} Name",
                "relationship": "Contact{n} Rel",
                "phone": {"column": "Contact{n} Phone", "type": "phone"},
                "priority": {"const": "{n}"},
            },
        },
    },
}
EXPORT = """\
Student Number,School,First,Last,Gr,DOB,Status,{contacts}
00123,0042,MARY ANN,Núñez,0,03/09/2015,A,"Núñez, Rosa",Mother,(555) 010-2000,Luis Núñez,Father,555-010-2001
00124,0042,leo,Núñez,5,2012-01-31,Active,Rosa Nunez,Mother,555.010.2000,,,
00125,0042,,Nobody,5,2012-01-31,Active,,,,,,
00126,0042,Gone,Away,5,2012-01-31,W,Some Body,Uncle,555-010-3000,,,
""".replace("{contacts}", ",".join(f"Contact{n} {what}" for n in (1, 2) for what in ("Name", "Rel", "Phone")))


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "students_2026.csv").write_text(EXPORT, encoding="utf-8")
    (tmp_path / "acme.json").write_text(json.dumps(ACME))
    return folder


def mapped(export: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[str, str]:
    assert run(["map", str(export.parent / "acme.json"), str(export), *options]) == 0
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_students_come_with_the_fields_of_their_entity(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = mapped(export, capsys, "--entity", "students", "--format", "jsonl")
    first, second = (json.loads(line) for line in out.splitlines())
    assert {k: v for k, v in first.items() if v} == {
        "id": "00123", "school": "0042", "first_name": "Mary Ann", "last_name": "Núñez", "grade": "KG",
        "birth_date": "2015-03-09",
    }  # fmt: skip
    assert (second["id"], second["grade"], second["birth_date"]) == ("00124", "5", "2012-01-31")


def test_siblings_share_a_contact_under_the_id_that_it_would_get(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = mapped(export, capsys, "--entity", "contacts", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    mothers = [r for r in rows if r["relationship"] == "Mother"]
    assert [r["student"] for r in mothers] == ["00123", "00124"]
    assert mothers[0]["id"] == mothers[1]["id"] != ""
    assert {r["may_pick_up"] for r in rows} == {"unknown"}
    assert {r["priority"] for r in rows} == {"1", "2"}


def test_contacts_of_students_who_are_filtered_out_are_skipped_and_not_rejected(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = mapped(export, capsys, "--format", "jsonl")
    counts = {c["entity"]: c for c in map(json.loads, out.splitlines())}
    for entity in ("contacts", "relationships"):
        assert (counts[entity]["skipped"], counts[entity]["rejected"]) == (1, 0)
    assert "row.reference" not in err


def test_one_person_in_two_slots_is_one_contact_as_the_first_slot_says(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (export / "students_2026.csv").read_text(encoding="utf-8")
    once, again = (
        "Rosa Nunez,Mother,555.010.2000,,,",
        "Rosa Nunez,Mother,555.010.2000,Rosa Nunez,Self,5550102000",
    )
    twice = text.replace(once, again)
    (export / "students_2026.csv").write_text(twice, encoding="utf-8")
    out, err = mapped(export, capsys, "--entity", "relationships", "--format", "jsonl")
    (leo,) = [r for r in map(json.loads, out.splitlines()) if r["student"] == "00124"]
    assert (leo["relationship"], leo["priority"]) == ("Mother", "1")
    assert "row.conflict" not in err


def test_limit_prints_no_more_rows(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = mapped(export, capsys, "--entity", "students", "--limit", "1", "--format", "jsonl")
    assert len(out.splitlines()) == 1


def test_without_an_entity_it_prints_the_counts_of_all(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = mapped(export, capsys, "--format", "jsonl")
    counts = {c["entity"]: c for c in map(json.loads, out.splitlines())}
    assert list(counts) == ["schools", "students", "contacts", "relationships", "staff"]
    assert (counts["students"]["read"], counts["students"]["rejected"]) == (3, 1)
    assert counts["relationships"]["added"] == 3


def test_rejects_are_written_with_their_line_and_without_other_cells(
    export: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, err = mapped(export, capsys, "--rejects", str(tmp_path / "rejects.csv"))
    written = (tmp_path / "rejects.csv").read_text(encoding="utf-8")
    (row,) = list(csv.DictReader(io.StringIO(written)))
    assert (row["file"], row["row"], row["column"], row["code"], row["key"]) == (
        "students_2026.csv", "4", "First", "row.required", "00125",
    )  # fmt: skip
    assert "Nobody" not in err + written


def test_a_mapper_that_is_wrong_is_refused_with_its_place(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (export.parent / "acme.json").write_text(
        '{"name": "acme",\n "files": {"s": {"pattern": 5}}, "entities": {}}'
    )
    assert run(["map", str(export.parent / "acme.json"), str(export)]) == 1
    assert "acme.json:2:" in capsys.readouterr().err


def test_a_mapper_that_does_not_exist_is_refused_with_its_neighbour(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["map", "onerooster-1.1", str(export)]) == 1
    assert "oneroster-1.1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "path", "column", "meant"),
    [
        ('"Frist"', "entities.students.fields.first_name", "Frist", "First"),
        ('"Contact{n} Phne"', "entities.contacts.fields.phone", "Contact1 Phne", "Contact1 Phone"),
        ('"Stauts"', "entities.students.where", "Stauts", "Status"),
    ],
    ids=["of a field", "of a repeated source", "of a condition"],
)
def test_a_column_that_no_file_has_is_told_with_its_place_in_the_mapper_and_its_neighbour(
    export: Path, capsys: pytest.CaptureFixture[str], typed: str, path: str, column: str, meant: str
) -> None:
    right = '"' + meant.replace("Contact1", "Contact{n}") + '"'
    mapper = export.parent / "acme.json"
    lines = json.dumps(ACME, indent=1).replace(right, typed).splitlines()
    mapper.write_text("\n".join(lines))
    assert run(["map", str(mapper), str(export)]) == 1
    said = capsys.readouterr().err
    assert f"students_2026.csv has no column '{column}', which {path} ({mapper}:" in said
    assert f"did you mean '{meant}'" in said
    line = int(said.split(f"{mapper}:")[1].split(":")[0])
    assert path.rsplit(".", 1)[-1] in "".join(lines[line - 3 : line])


def test_a_column_of_a_built_in_mapper_is_told_with_the_mappers_name(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (export / "students.csv").write_text("ID,School,First Name\n1,A,Ann\n")
    assert run(["map", "generic", str(export)]) == 1
    said = capsys.readouterr().err
    assert "which entities.students.fields.first_name of the built-in generic reads" in said
    assert "did you mean 'First Name'?" in said


@pytest.mark.parametrize("inside", [True, False], ids=["in the folder", "named itself"])
def test_a_zip_is_read_as_the_files_in_it(
    export: Path, capsys: pytest.CaptureFixture[str], inside: bool
) -> None:
    text, archive = export / "students_2026.csv", export / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(text, text.name)
    text.unlink()
    assert run(["map", str(export.parent / "acme.json"), str(export if inside else archive)]) == 0
    captured = capsys.readouterr()
    assert "notice: students_2026.csv comes from export.zip" in captured.err
    assert captured.out.split("\n")[2].split() == ["students", "3", "2", "1", "0", "0"]


def test_files_go_before_a_zip_that_lies_beside_them(
    export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (export / "export.zip").write_bytes(b"")
    assert "export.zip" not in mapped(export, capsys)[1]


def test_one_file_may_be_named_by_itself(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = export / "students_2026.csv"
    assert run(["map", str(export.parent / "acme.json"), str(file), "--format", "csv"]) == 0
    assert "students,3,2,1,0,0" in capsys.readouterr().out


def test_a_package_of_changes_is_read_as_it_is_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.csv").write_text("propertyName,value\nfile.orgs,bulk\nfile.users,delta\n")
    (tmp_path / "orgs.csv").write_text("sourcedId,name,type\nS1,Lincoln,school\n")
    (tmp_path / "users.csv").write_text(
        "sourcedId,status,orgSourcedIds,role,givenName,familyName\n"
        "k1,active,S1,student,Ada,Ash\nk2,tobedeleted,S1,student,Bo,Birch\n"
    )
    assert run(["map", "oneroster-1.1", str(tmp_path), "--entity", "students", "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert [row["id"] for row in csv.DictReader(io.StringIO(out))] == ["k1"]
    assert "notice: manifest.csv says that users.csv is delta; there are no earlier rows here" in err


def test_a_package_without_a_file_that_its_mapper_needs_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.csv").write_text("propertyName,value\nfile.orgs,bulk\n")
    (tmp_path / "orgs.csv").write_text("sourcedId,name,type\nS1,Lincoln,school\n")
    assert run(["map", "oneroster-1.1", str(tmp_path)]) == 1
    assert "no file matches users.csv" in capsys.readouterr().err
