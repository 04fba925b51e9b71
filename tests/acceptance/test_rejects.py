"""What was not taken is listed by file, line, column and reason; of the row only its id is kept."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.acceptance.test_secrecy import dump
from tests.acceptance.world import World, contacts_csv, students_csv

CHILD = "Quixborough"
STUDENTS = (
    f"901,0042,,{CHILD},5,\n"
    f"1.2E+11,0042,{CHILD},{CHILD},5,2012-01-01\n"
    f"9\u200b02,0042,{CHILD},{CHILD},5,2012-01-01\n"
    f'903,0042,"{CHILD},{CHILD},5,2012-01-01\n'
    f"904,0042,{CHILD}\n"
    f"905,0042,{CHILD}\0,{CHILD},5,2012-01-01\n"
    f"906,0042,{CHILD},A,5,2012-01-01\n"
    f"906,0042,{CHILD},B,5,2012-01-01\n"
    f"907,0042,Al,Lo,5,{CHILD}\n"
    f"908,0042,Bo,Lo,5,2099-01-01\n"
)
REJECTS = {
    ("students.csv", 202, "first_name", "row.required", "901"),
    ("students.csv", 203, "id", "row.scientific", ""),
    ("students.csv", 204, "id", "row.id", ""),
    ("students.csv", 205, "", "row.quote", ""),
    ("students.csv", 206, "", "row.ragged", ""),
    ("students.csv", 207, "", "row.nul", ""),
    ("students.csv", 208, "last_name", "row.conflict", "906"),
    ("students.csv", 209, "last_name", "row.conflict", "906"),
    ("students.csv", 210, "birth_date", "row.value", "907"),
    ("students.csv", 211, "birth_date", "row.value", "908"),
    ("contacts.csv", 202, "student", "row.reference", "c-"),
}
FILES = {
    "students.csv": students_csv(200) + STUDENTS,
    "contacts.csv": contacts_csv(200) + f"999,{CHILD},Mother,5550109999,no\n",
}


def listed(rejects: list[dict[str, str]]) -> set[tuple[str, int, str, str, str]]:
    """File, line, column, code and key of each; of a key that was made, its beginning."""
    return {
        (r["file"], int(r["row"]), r["column"], r["code"], "c-" if r["key"].startswith("c-") else r["key"])
        for r in rejects
    }


def test_of_a_rejected_row_the_database_holds_where_why_and_whose_and_no_other_cell(
    world: World, tmp_path: Path
) -> None:
    world.district("oak", schools=["0042"])
    world.policy(max_reject_percent=6)
    world.put("oak", FILES)
    done = world.run("reconcile")
    assert done.code == 0, done.out
    rejects = world.json("rejects", "oak")
    assert listed(rejects) == REJECTS
    assert all(r["reason"] for r in rejects)
    assert CHILD not in dump(world.database_url, tmp_path) + str(rejects) + done.out + done.err


def test_map_lists_the_same(world: World, tmp_path: Path) -> None:
    folder, written = tmp_path / "files", tmp_path / "rejects.csv"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    assert world.run("map", "generic", str(folder), "--rejects", str(written)).code == 0
    text = written.read_text(encoding="utf-8")
    assert listed(list(csv.DictReader(text.splitlines()))) == REJECTS
    assert CHILD not in text
