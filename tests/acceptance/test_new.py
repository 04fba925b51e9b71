"""`new` against a real server: what is learned, what is asked, and what is never done unasked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import Done, World, csv_text, students_csv

SCHOOLS = csv_text(("id", "name"), [("0042", "Lincoln Elementary"), ("0050", "Grant")])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty folder, and a server with the account oak. No database is needed."""
    with World(tmp_path, "sqlite:////nowhere/state.db", monkeypatch) as world:
        world.district("oak").unlink()
        (world.root / "districts").rmdir()
        rows = students_csv(5) + students_csv(3, school="0050", first=6).split("\n", 1)[1]
        world.put("oak", {"students.csv": rows, "schools.csv": SCHOOLS})
        yield world


def new(world: World, *options: str) -> Done:
    server = ("--host", "127.0.0.1", "--port", str(world.server.port), "--username", "oak")
    return world.run("new", "oak", *server, "--account", "104592", *options)


def text(world: World) -> str:
    return (world.root / "districts/oak.yaml").read_text()


def test_a_district_is_written_with_what_its_server_tells(place: World) -> None:
    done = new(place, "--accept-host-key", place.server.fingerprint)
    assert done.code == 0
    assert f"host key ssh-ed25519 {place.server.fingerprint} (accepted)" in done.out
    assert "generic ←" in done.out
    assert "0042    Lincoln Elementary         5  lincoln-elementary" in done.out
    written = text(place)
    assert f"  host_key: {place.server.fingerprint}\n" in written
    assert "\nmapper: generic\n" in written
    suggestion = '{sis_id: "0042", school: lincoln-elementary, name: Lincoln Elementary}'
    assert f"# schools:\n#   - {suggestion}  # 5 students\n" in written, "a suggestion is a comment"
    assert place.json("validate")["problems"] == []
    assert place.run("fmt", "--check").code == 0
    assert place.environment["SFTP_OAK_PASSWORD"] not in written + done.out + done.err


def test_in_one_pull_request_from_nothing_to_synced(place: World, tmp_path: Path) -> None:
    assert new(place, "--accept-host-key", place.server.fingerprint, "--with-schools").code == 0
    place.environment["RECONCILER_DATABASE_URL"] = f"sqlite:///{tmp_path / 'state.db'}"
    assert place.run("reconcile").code == 0
    assert {r["school"] for r in place.export("students")} == {"lincoln-elementary", "grant"}


def test_the_report_as_json(place: World) -> None:
    report = new(place, "--accept-host-key", place.server.fingerprint, "--format", "json").json
    assert (report["district"], report["file"], report["mapper"]) == ("oak", "districts/oak.yaml", "generic")
    assert (report["host_key"], report["host_key_accepted"]) == (place.server.fingerprint, True)
    assert report["mappers"][0]["name"] == "generic"
    assert report["mappers"][0]["reads"] is True
    assert {"sis_id": "0050", "name": "Grant", "students": 3, "suggestion": "grant"} in report["schools"]


def test_a_key_that_nobody_confirms_gets_no_password(place: World) -> None:
    done = new(place)
    assert done.code == 0
    assert place.server.fingerprint in done.err
    assert "is not confirmed, so nobody logged in" in done.out
    assert f"  # host_key: {place.server.fingerprint}\n" in text(place)
    assert "\nmapper: FILL-IN\n" in text(place)
    assert place.seen == []


def test_another_key_than_the_accepted_one_writes_nothing(place: World) -> None:
    done = new(place, "--accept-host-key", "SHA256:" + "A" * 43)
    assert (done.code, "[sftp.host-key]" in done.err) == (1, True)
    assert place.seen == []
    assert not (place.root / "districts").exists(), "an empty districts/ would be a fleet that is gone"


@pytest.mark.parametrize(("answer", "accepted"), [("y\n", True), ("n\n", False), ("", False)])
def test_the_key_is_confirmed_by_an_answer(place: World, answer: str, accepted: bool) -> None:
    command = ["new", "oak", "--host", "127.0.0.1", "--port", str(place.server.port), "--username", "oak"]
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(place.root), *command],
        env={**place.environment, "PATH": "/usr/bin:/bin"},
        input=answer,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert "Has the district confirmed this key?" in done.stderr
    assert ("\nmapper: generic\n" in text(place)) is accepted


def test_first_use_is_taken_where_the_policy_says_so(place: World) -> None:
    place.policy(host_keys="first-use")
    done = new(place)
    assert "policy.host_keys: first-use" in done.out
    assert f"  host_key: {place.server.fingerprint}\n" in text(place)


def unset_secret(world: World) -> None:
    world.environment.pop("SFTP_OAK_PASSWORD")


def stop_server(world: World) -> None:
    world.server.stop()


def no_files(world: World) -> None:
    for path in world.export_of("oak").iterdir():
        path.unlink()


def unreadable(world: World) -> None:
    world.put("oak", {"students.csv": "a,b\n1,2\n", "schools.csv": b"\x00\xff\xfe"})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (unset_secret, "[secret.missing]"),
        (stop_server, "[sftp.unreachable]"),
        (no_files, "[sftp.no-files]"),
        (unreadable, "no mapper can read these files"),
    ],
)
def test_what_cannot_be_learned_is_said_and_the_file_is_written_all_the_same(
    place: World, spoil: object, said: str
) -> None:
    fingerprint = place.server.fingerprint
    assert callable(spoil)
    spoil(place)
    done = new(place, "--accept-host-key", fingerprint)
    assert (done.code, "Traceback" in done.err) == (0, False)
    assert said in done.out
    assert "\nmapper: FILL-IN\n" in text(place)
    assert "to be filled in: mapper" in done.out


def test_mappers_that_fit_alike_are_for_a_person_to_decide(place: World) -> None:
    (place.root / "mappers").mkdir()
    (place.root / "mappers/ours.json").write_text('{"name": "ours", "extends": "generic"}')
    accept = ("--accept-host-key", place.server.fingerprint)
    done = new(place, *accept)
    assert "generic and ours fit alike: --mapper decides" in done.out
    assert "\nmapper: FILL-IN\n" in text(place)
    assert "# How the files are read, one of: " in text(place)
    (place.root / "districts/oak.yaml").unlink()
    assert new(place, *accept, "--mapper", "ours").code == 0
    assert "\nmapper: ours\n" in text(place)


def test_the_archive_of_a_district_is_looked_into(place: World, tmp_path: Path) -> None:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(tmp_path / "roster.zip", "w") as archive:
        archive.writestr("students.csv", students_csv(4))
    no_files(place)
    place.put("oak", {"roster.zip": (tmp_path / "roster.zip").read_bytes()})
    done = new(place, "--accept-host-key", place.server.fingerprint, "--file-pattern", "*.zip")
    assert "generic ←" in done.out
    assert "# 4 students" in text(place)
