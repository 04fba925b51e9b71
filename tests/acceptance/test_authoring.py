"""Files that the program writes: a district's schools, and what a database knows, as YAML."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.acceptance.world import World, csv_text, students_csv

FILE = """\
# Oak, by the river
district: oak
name: Oak
account: "104592"
sftp:
  host: 127.0.0.1
  port: {port}
  username: oak
  password: {{env: SFTP_OAK_PASSWORD}}
  host_key: {key}
mapper: generic   # our own headers
"""
SCHOOLS = csv_text(("id", "name"), [("0042", "Lincoln Elementary"), ("0050", "Grant, Ulysses S.")])


def oak(world: World, more: str = "") -> str:
    """A district without schools, its two schools on the server."""
    path = world.district("oak")
    text = FILE.format(port=world.server.port, key=world.server.fingerprint) + more
    path.write_text(text)
    rows = students_csv(5) + students_csv(3, school="0050", first=6).split("\n", 1)[1]
    world.put("oak", {"students.csv": rows, "schools.csv": SCHOOLS})
    return text


def test_suggested_schools_are_written_into_the_file_once(world: World) -> None:
    text = oak(world, "\nsync: {state: started}  # nightly\n")
    file = world.root / "districts/oak.yaml"
    assert world.run("schools", "oak", "--write").code == 64, "the schools are not known yet"
    assert world.run("reconcile").code == 0
    done = world.run("schools", "oak", "--write")
    assert (done.code, done.out.splitlines()[-1]) == (0, "districts/oak.yaml: 2 schools added.")
    lines = (
        'schools:\n  - {sis_id: "0042", school: lincoln-elementary, name: Lincoln Elementary}\n'
        '  - {sis_id: "0050", school: grant-ulysses-s, name: "Grant, Ulysses S."}\n'
    )
    assert file.read_text() == text.replace("own headers\n", "own headers\n" + lines)
    again = world.json("schools", "oak", "--write")
    assert (again["file"], again["added"]) == ("districts/oak.yaml", [])
    assert {s["state"] for s in again["schools"]} == {"mapped"}
    assert world.run("reconcile").code == 0
    assert len(world.export("students")) == 8


def test_schools_are_written_to_no_file_that_is_wrong_or_gone(world: World) -> None:
    oak(world)
    assert world.run("reconcile").code == 0
    file = world.root / "districts/oak.yaml"
    file.unlink()
    assert world.run("schools", "oak", "--write").code == 64
    assert not file.exists()


def fleet(world: World) -> None:
    """Two synced districts, the second stopped and saying more than the first."""
    for name in ("elm", "ash"):
        world.put(name, {"students.csv": students_csv(3)})
    world.district("elm", schools={"0042": "lincoln", "0050": "no"}, ignored_schools=["9"])
    world.district(
        "ash",
        schools=["0042"],
        sftp={"remote_path": "./", "host_key": [world.server.fingerprint, world.server.host_key]},
        sync={
            "state": "stopped",
            "schedule": "0 2 * * *",
            "pause": [{"from": "2027-06-01", "until": "2027-08-15"}],
        },
    )
    assert world.run("reconcile").code == 0


def test_what_the_database_knows_becomes_files_and_the_plan_is_empty(world: World) -> None:
    fleet(world)
    shutil.rmtree(world.root / "districts")
    done = world.run("import")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "wrote districts/ash.yaml\nwrote districts/elm.yaml\n"
        "wrote schemas/district.schema.json, for editors\n"
        "2 files written, 0 had one, 0 left out.\n"
    )
    assert world.json("validate")["problems"] == []
    assert world.run("fmt", "--check").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert world.json("reconcile")["summary"] == {"succeeded": 0, "failed": 0, "blocked": 0, "unchanged": 2}
    text = (world.root / "districts/elm.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../schemas/district.schema.json\n")
    assert '  - {sis_id: "0050", school: "no"}\n' in text
    assert "canary" not in text


def test_a_fleet_with_defaults_of_its_own_comes_back_as_it_was(world: World) -> None:
    """Where the fleet's default is another than the program's, leaving a key out would change it."""
    (world.root / "reconciler.yaml").write_text(
        "defaults:\n  mapper: generic\n  sftp: {port: 2222, file_pattern: '*.txt'}\n"
        "  sync: {settle_minutes: 5}\n"
    )
    world.put("elm", {"students.csv": students_csv(3)})
    sftp = {"file_pattern": "*.csv", "remote_path": "."}
    world.district("elm", schools=["0042"], sftp=sftp, sync={"settle_minutes": 0})
    assert world.run("reconcile").code == 0
    shutil.rmtree(world.root / "districts")
    assert world.run("import").code == 0
    assert '  file_pattern: "*.csv"\n' in (world.root / "districts/elm.yaml").read_text()
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_import_writes_over_nothing(world: World) -> None:
    fleet(world)
    (world.root / "districts/ash.yaml").unlink()
    elm = world.root / "districts/elm.yaml"
    moved = world.root / "districts/tx/elm.yaml"
    moved.parent.mkdir()
    elm.rename(moved)
    report = world.json("import")
    assert [w["file"] for w in report["written"]] == ["districts/ash.yaml"]
    assert [s["district"] for s in report["skipped"]] == ["elm"]
    assert not elm.exists()
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert world.json("import")["written"] == []


def test_a_retired_connection_comes_back_only_by_its_name(world: World) -> None:
    fleet(world)
    (world.root / "districts/ash.yaml").unlink()
    assert world.run("reconcile").code == 0
    done = world.run("import")
    assert done.code == 0
    assert "left out ash: its file was removed by" in done.out
    assert world.run("import", "--only", "ash").code == 0
    assert [d["district"] for d in world.json("plan")["districts"]] == ["ash"]
    assert world.run("import", "--only", "oak").code == 64


def test_files_can_be_written_elsewhere_to_be_looked_at(world: World, tmp_path: Path) -> None:
    fleet(world)
    shutil.rmtree(world.root / "districts")
    assert world.run("import", "--only", "elm", "--out", str(tmp_path / "look")).code == 0
    assert [p.name for p in (tmp_path / "look").iterdir()] == ["elm.yaml"]
    assert not (world.root / "schemas").exists()
    assert not (world.root / "districts").exists(), "an empty folder would mean that every district is gone"


def test_a_mapper_that_is_not_there_is_told(world: World) -> None:
    (world.root / "mappers").mkdir()
    mapper = world.root / "mappers/ours.json"
    mapper.write_text('{"name": "ours", "extends": "generic"}')
    world.put("oak", {"students.csv": students_csv(3)})
    world.district("oak", mapper="ours", schools=["0042"])
    assert world.run("reconcile").code == 0
    shutil.rmtree(world.root / "districts")
    mapper.rename(world.root / "kept")
    done = world.run("import")
    assert done.code == 0
    assert "oak: the mapper ours is not in this repository" in done.err
    (world.root / "kept").rename(mapper)
    assert world.run("plan", "--detailed-exitcode").code == 0
