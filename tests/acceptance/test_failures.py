"""What goes wrong at a district: its own code, what to do next, and nobody else's trouble."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.roster.delta import SisSchool
from reconciler.roster.roster import Roster
from tests.acceptance.world import World, contacts_csv, result_of, students_csv

OTHER_KEY = "SHA256:" + "A" * 43


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wrong_password(world: World) -> None:
    world.environment["SFTP_BAD_PASSWORD"] = "not-it"


def wrong_host_key(world: World) -> None:
    world.district("bad", schools=["0042"], sftp={"host_key": OTHER_KEY})


def no_host_key(world: World) -> None:
    world.district("bad", schools=["0042"], sftp={"host_key": None})


def dead_host(world: World) -> None:
    world.district("bad", schools=["0042"], sftp={"port": _unused_port()})


def missing_folder(world: World) -> None:
    world.district("bad", schools=["0042"], sftp={"remote_path": "/no/such/folder"})


def no_matching_file(world: World) -> None:
    world.district("bad", schools=["0042"], sftp={"file_pattern": "*.tsv"})


def no_students_file(world: World) -> None:
    (world.export_of("bad") / "students.csv").unlink()


def missing_column(world: World) -> None:
    world.put("bad", {"students.csv": students_csv(3).replace("last_name", "surname", 1)})


def no_header(world: World) -> None:
    world.put("bad", {"students.csv": "\n".join(students_csv(3).splitlines()[1:]) + "\n"})


def empty_file(world: World) -> None:
    world.put("bad", {"students.csv": ""})


def header_only(world: World) -> None:
    world.put("bad", {"students.csv": students_csv(0)})


def cut_file(world: World) -> None:
    text = students_csv(20)
    world.put("bad", {"students.csv": text[: len(text) // 2]})


def undecodable(world: World) -> None:
    world.put("bad", {"students.csv": students_csv(3).encode() + b"\x81\x8d"})


def too_many_bad_rows(world: World) -> None:
    world.put("bad", {"students.csv": students_csv(20).replace("Last7", "").replace("Last9", "")})


def missing_secret(world: World) -> None:
    del world.environment["SFTP_BAD_PASSWORD"]


def settling(world: World) -> None:
    world.district("bad", schools=["0042"], sync={"settle_minutes": 1440})
    (world.export_of("bad") / "students.csv").touch()


CASES: dict[str, tuple[Callable[[World], None], str, str]] = {
    "wrong password": (wrong_password, "sftp.auth", "test"),
    "wrong host key": (wrong_host_key, "sftp.host-key", "test"),
    "no host key": (no_host_key, "sftp.host-key", "test"),
    "dead host": (dead_host, "sftp.unreachable", "test"),
    "missing folder": (missing_folder, "sftp.path", "test"),
    "no matching file": (no_matching_file, "sftp.no-files", "test"),
    "no students file": (no_students_file, "sftp.no-files", "test"),
    "missing column": (missing_column, "mapper.column", "initialize"),
    "no header": (no_header, "csv.header", "initialize"),
    "empty file": (empty_file, "csv.header", "initialize"),
    "header only": (header_only, "csv.empty", "sync"),
    "cut file": (cut_file, "csv.truncated", "initialize"),
    "undecodable": (undecodable, "csv.encoding", "initialize"),
    "too many bad rows": (too_many_bad_rows, "csv.rows", "sync"),
    "missing secret": (missing_secret, "secret.missing", "test"),
}


@pytest.mark.parametrize(("spoil", "code", "step"), CASES.values(), ids=CASES)
def test_a_district_in_trouble_fails_by_itself_with_a_code_and_a_hint(
    world: World, spoil: Callable[[World], None], code: str, step: str
) -> None:
    for name in ("bad", "good"):
        world.district(name, schools=["0042"])
        world.put(name, {"students.csv": students_csv(3), "contacts.csv": contacts_csv(3)})
    spoil(world)

    done = world.run("reconcile", "--format", "json")

    assert done.code == 1
    assert done.json["summary"] == {"succeeded": 1, "failed": 1, "blocked": 0, "unchanged": 0}
    bad = result_of(done.json, "bad")
    assert bad["error"]["code"] == code
    assert bad["error"]["hint"]
    assert "Traceback" not in done.err + done.out
    failed = [s["name"] for s in bad["steps"] if s["outcome"] == "failed"]
    assert failed == [step] or (code, step) == ("sftp.no-files", "test")
    assert result_of(done.json, "good")["outcome"] == "succeeded"
    assert {r["district"] for r in world.export("students")} == {"good"}
    status = world.status("bad")
    assert (status["sync_status"], status["problem"]["code"]) == ("Failing", code)


def test_a_repaired_district_goes_on_where_it_was(world: World) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(3).replace("last_name", "surname", 1)})
    assert world.run("reconcile").code == 1
    assert world.status("oak")["phase"] == "tested"

    world.put("oak", {"students.csv": students_csv(3)})

    plan = world.json("plan")["districts"][0]
    assert (plan["action"], plan["steps"]) == ("update", ["initialize", "map_schools", "sync"])
    assert world.run("reconcile").code == 0
    assert len(world.export("students")) == 3
    assert world.json("plan")["districts"] == []


def test_a_file_that_may_still_be_uploading_is_held(world: World) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(3)})
    settling_district = Path(world.root / "districts" / "oak.yaml")
    assert settling_district.exists()
    world.district("oak", schools=["0042"], sync={"settle_minutes": 5})
    (world.export_of("oak") / "students.csv").touch()

    done = world.run("reconcile", "--format", "json")

    assert done.code == 3
    assert result_of(done.json, "oak")["error"]["code"] == "sync.file-changing"
    assert world.export("students") == []


@pytest.mark.parametrize("spoil", [wrong_host_key, no_host_key], ids=["another key", "no pin"])
def test_a_host_that_is_not_the_pinned_one_gets_no_password(
    world: World, spoil: Callable[[World], None]
) -> None:
    world.district("bad", schools=["0042"])
    world.put("bad", {"students.csv": students_csv(3)})
    spoil(world)

    report = world.json("test", "bad")
    world.run("reconcile")

    assert [what for what, _ in world.seen if what != "connect"] == []
    assert report[0]["ok"] is False
    assert world.server.fingerprint in report[0]["error"]["message"]


def test_first_use_records_the_key_and_holds_to_it(world: World) -> None:
    world.policy(host_keys="first-use")
    world.district("oak", schools=["0042"], sftp={"host_key": None})
    world.put("oak", {"students.csv": students_csv(3)})
    assert world.run("reconcile").code == 0

    port, accounts = world.server.port, world.server.accounts
    world.server.stop()
    world.server = type(world.server)(accounts, observer=lambda what, who: world.seen.append((what, who)))
    world.seen.clear()
    world.district("oak", schools=["0042"], sftp={"host_key": None, "port": port})
    moved = world.server.port
    with socket.create_server(("127.0.0.1", 0)):
        pass
    world.district("oak", schools=["0042"], sftp={"host_key": None, "port": moved})

    # Another port is another server: its key is seen anew, and then held to.
    assert world.run("reconcile").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 0


def test_a_fault_of_our_own_is_one_districts_trouble_and_quotes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        world.district(name, schools=["0042"])
        world.put(name, {"students.csv": students_csv(3 if name == "good" else 4)})
    real = Roster.schools

    def faulty(self: Roster) -> list[SisSchool]:
        found = real(self)
        if found[0].students == 4:
            raise ZeroDivisionError("a text that holds Lastname Canary")
        return found

    monkeypatch.setattr(Roster, "schools", faulty)
    done = world.run("--log-level", "debug", "reconcile", "--format", "json")
    assert done.code == 1
    assert "Canary" not in done.out + done.err
    assert result_of(done.json, "bad")["error"]["code"] == "internal"
    assert result_of(done.json, "good")["outcome"] == "succeeded"


def test_no_place_for_temporary_files_is_a_failure_and_no_crash(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(3)})
    nowhere = Path("/dev/null/folder")
    monkeypatch.setattr("reconciler.roster.workspace.temporary_folder", lambda: nowhere)
    done = world.run("reconcile", "--format", "json")
    assert done.code == 1
    assert result_of(done.json, "oak")["error"]["code"] == "local.refused"


def test_a_file_that_counts_more_rows_than_it_has_removes_nobody(world: World) -> None:
    world.district("ash", schools=["0042"])
    world.put("ash", {"students.csv": students_csv(200) + "Total: 200\n"})
    assert world.run("reconcile").code == 0
    world.put("ash", {"students.csv": students_csv(185) + "Total: 200\n"})
    assert result_of(world.json("sync"), "ash")["error"]["code"] == "csv.truncated"
    world.put("ash", {"students.csv": students_csv(199) + "Total: 199\n"})
    assert result_of(world.json("sync"), "ash")["rows"]["students"]["removed"] == 1
