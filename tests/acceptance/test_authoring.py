"""Files that the program writes: a district's schools, and what a database knows, as YAML."""

from __future__ import annotations

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
