"""`plan --preview`: what would become of the rows, seen before anything is written, and what it may send."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.acceptance.test_contact_safety import HELD, put
from tests.acceptance.test_contact_safety import oak as contacts_of_oak
from tests.acceptance.test_safety import SPOILED
from tests.acceptance.world import World, contacts_csv, csv_text, result_of, students_csv

__all__ = ["contacts_of_oak"]

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CHILD = "Last7"


@pytest.fixture
def oak(world: World) -> World:
    """A district of 40 students with a parent each, synced."""
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(40), "contacts.csv": contacts_csv(40)})
    assert world.run("reconcile").code == 0
    return world


def touch(world: World, **more: Any) -> None:
    """Change the district's file so that a sync follows, and no row by itself."""
    named = [{"sis_id": "0042", "school": "school-0042", "name": "Lincoln"}]
    path = world.district("oak", **more)
    document = json.loads(path.read_text())
    world.write("oak", document | {"schools": named})


def contents(world: World) -> dict[str, list[str]]:
    """Every row of every table, leases and history too."""
    parsed = make_url(world.database_url)
    if parsed.drivername.startswith("sqlite"):
        with sqlite3.connect(str(parsed.database)) as connection:
            names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found = {n: sorted(map(str, connection.execute(f'SELECT * FROM "{n}"'))) for n in names}
        connection.close()
        return found
    with psycopg.connect(world.database_url.replace("postgresql+psycopg", "postgresql")) as server:
        tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            n: sorted(t for (t,) in server.execute(f'SELECT t::text FROM "{n}" t').fetchall())
            for (n,) in tables
        }


def preview_of(world: World, district: str, *options: str) -> dict[str, Any]:
    done = world.run("plan", "--preview", "--format", "json", *options)
    (found,) = [d for d in done.json["districts"] if d["district"] == district]
    return dict(found["preview"])


def counts(rows: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {entity: {k: n for k, n in found.items() if n} for entity, found in rows.items()}


# --- what it shows -----------------------------------------------------------------------------------------


def test_a_preview_before_anything_was_reconciled_shows_what_reconcile_then_does(world: World) -> None:
    world.district("oak", schools=["0042"])
    world.put(
        "oak", {"students.csv": students_csv(30) + students_csv(5, school="7", first=90).split("\n", 1)[1]}
    )
    before = contents(world)

    done = world.run("plan", "--preview", "--trust-hosts", "--format", "json")

    preview = done.json["districts"][0]["preview"]
    assert (done.code, preview["outcome"], preview["error"]) == (0, "succeeded", None)
    assert contents(world) == before
    assert [(f["name"], f["size"] > 0, len(f["sha256"])) for f in preview["files"]] == [
        ("students.csv", True, 64)
    ]
    assert preview["unmapped"] == {"schools": 1, "students": 5}
    schools = {s["sis_id"]: (s["state"], s["students"], s["rows"]["added"]) for s in preview["schools"]}
    assert schools == {"0042": ("mapped", 30, 30), "7": ("unmapped", 5, 0)}
    assert counts(preview["rows"]) == counts(result_of(world.json("reconcile"), "oak")["rows"])


def test_a_district_without_a_mapped_school_shows_its_schools_to_be_mapped(world: World) -> None:
    world.district("oak", schools=[])
    world.put("oak", {"students.csv": students_csv(30)})
    preview = preview_of(world, "oak", "--trust-hosts")
    assert preview["syncs"] is False
    assert [(s["sis_id"], s["state"], s["students"], s["suggestion"]) for s in preview["schools"]] == [
        ("0042", "unmapped", 30, "school-0042")
    ]
    text = world.run("plan", "--preview", "--trust-hosts").out
    assert "1 school not mapped: 30 students left out" in text


def leave(students: int) -> Callable[[World], None]:
    return lambda w: w.put(
        "oak", {"students.csv": students_csv(students), "contacts.csv": contacts_csv(students)}
    )


DAYS: dict[str, Callable[[World], None]] = {
    "the same files": lambda _: None,
    "two leave": leave(38),
    "three come": leave(43),
    "one is invalid": lambda w: w.put("oak", {"students.csv": students_csv(40).replace("Last7,", ",", 1)}),
    "a few change": lambda w: w.put("oak", {"students.csv": students_csv(40).replace("First3", "Fiona")}),
    "a school is not mapped": lambda w: w.put(
        "oak", {"students.csv": students_csv(39) + students_csv(1, school="7", first=40).split("\n", 1)[1]}
    ),
}


@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
def test_a_preview_counts_what_reconcile_then_writes_and_writes_nothing_itself(
    oak: World, day: Callable[[World], None]
) -> None:
    day(oak)
    touch(oak)
    before = contents(oak)
    preview = preview_of(oak, "oak")
    assert contents(oak) == before
    result = result_of(oak.json("reconcile"), "oak")
    assert result["outcome"] == preview["outcome"] == "succeeded"
    assert counts(result["rows"]) == counts(preview["rows"])
    by_school = {fate: sum(s["rows"][fate] for s in preview["schools"])
                 for fate in ("added", "changed", "removed", "unchanged")}  # fmt: skip
    assert by_school == {fate: preview["rows"]["students"][fate] for fate in by_school}


@ON_SQLITE
def test_a_student_who_leaves_is_counted_at_the_school_that_is_stored(world: World) -> None:
    world.district("oak", schools=["0042", "7"])
    both = students_csv(20) + students_csv(9, school="7", first=21).split("\n", 1)[1]
    world.put("oak", {"students.csv": both})
    assert world.run("reconcile").code == 0
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(19)})
    preview = preview_of(world, "oak")
    removed = {s["sis_id"]: (s["state"], s["rows"]["removed"]) for s in preview["schools"]}
    assert removed == {"0042": ("mapped", 1), "7": ("absent", 9)}


@ON_SQLITE
def test_a_column_that_changes_wholesale_is_told_in_counts(oak: World) -> None:
    half = students_csv(20, grade="06") + students_csv(20, first=21).split("\n", 1)[1]
    oak.put("oak", {"students.csv": half.replace("2012-", "2011-", 12)})
    touch(oak)
    preview = preview_of(oak, "oak")
    assert preview["columns"] == [
        {"entity": "students", "column": "grade", "rows": 20, "of": 40, "emptied": 0},
        {"entity": "students", "column": "birth_date", "rows": 12, "of": 40, "emptied": 0},
    ]
    assert "column grade of students differs in 20 of 40 rows (50 %)" in oak.run("plan", "--preview").out


@ON_SQLITE
def test_no_output_of_a_preview_holds_a_childs_data_or_a_secret(oak: World) -> None:
    spoiled = students_csv(40).replace("First3", "Fiona").replace("Last9,", ",", 1)
    oak.put("oak", {"students.csv": spoiled + "1,2\n", "contacts.csv": contacts_csv(39)})
    touch(oak)
    for options in (["--format", "json"], [], ["--out", str(oak.root / "plan.json")]):
        done = oak.run("--log-level", "debug", "plan", "--preview", *options)
        said = done.out + done.err
        for word in ("First3", "Fiona", "Last9", "Parent40", "5550100040", "00040", "canary-oak"):
            assert word not in said
    assert "Parent40" not in (oak.root / "plan.json").read_text()


@ON_SQLITE
def test_rejected_rows_are_told_by_file_column_and_reason(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(40).replace("Last7,", ",", 1)})
    touch(oak)
    assert preview_of(oak, "oak")["rejects"] == [
        {"entity": "students", "file": "students.csv", "column": "last_name", "code": "row.required",
         "severity": "error", "rows": 1}
    ]  # fmt: skip


@ON_SQLITE
@pytest.mark.parametrize(
    "change",
    [{"sync": {"schedule": "0 2 * * *"}}, {"sync": {"state": "stopped"}}],
    ids=["a schedule", "a stop"],
)
def test_what_asks_no_server_has_no_preview_and_asks_none(oak: World, change: dict[str, Any]) -> None:
    oak.district("oak", schools=["0042"], **change)
    oak.seen.clear()
    done = oak.run("plan", "--preview", "--format", "json")
    assert (done.code, "preview" in done.json["districts"][0], oak.seen) == (0, False, [])


def test_a_district_that_is_asked_for_and_has_nothing_to_reconcile_shows_its_next_sync(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(42)})
    before = contents(oak)
    found = oak.json("plan", "--preview", "--only", "oak")
    assert (found["districts"], found["summary"]["unchanged"]) == ([], 1)
    assert [(s["district"], s["preview"]["rows"]["students"]["added"]) for s in found["next_syncs"]] == [
        ("oak", 2)
    ]
    assert "nothing to reconcile; its next sync" in oak.run("plan", "--preview", "--only", "oak").out
    assert "next_syncs" not in oak.json("plan", "--preview")
    assert contents(oak) == before


def test_a_retired_district_shows_the_rows_that_become_inactive(oak: World) -> None:
    (oak.root / "districts" / "oak.yaml").unlink()
    oak.policy(retire_after_days=0)
    oak.seen.clear()
    preview = preview_of(oak, "oak")
    assert [preview["rows"][e]["removed"] for e in ("students", "contacts", "relationships", "staff")] == [
        40, 40, 40, 0,
    ]  # fmt: skip
    assert ([s["rows"]["removed"] for s in preview["schools"]], oak.seen) == ([40], [])


# --- holds and failures ------------------------------------------------------------------------------------


def same_as_reconcile(world: World, code: int) -> None:
    """The preview's error is word for word the one that reconcile then ends with."""
    before = contents(world)
    done = world.run("plan", "--preview", "--format", "json")
    preview = done.json["districts"][0]["preview"]
    assert contents(world) == before
    result = result_of(world.json("reconcile"), "oak")
    assert (done.code, preview["outcome"]) == (code, result["outcome"])
    said, ended = dict(preview["error"]), dict(result["error"])
    if said["code"] == "csv.rows":
        # What was only previewed is not on record to be listed.
        del said["hint"], ended["hint"]
    assert said == ended
    assert preview["holds"] == ([said] if code == 3 else [])


@ON_SQLITE
@pytest.mark.parametrize("cause", HELD)
def test_contact_safety_holds_a_preview_in_the_words_of_the_real_run(
    contacts_of_oak: World, cause: str
) -> None:
    put(contacts_of_oak, HELD[cause])
    touch(contacts_of_oak)
    same_as_reconcile(contacts_of_oak, 3)


LIMITS: dict[str, Callable[[World], None]] = {
    "removals": leave(20),
    "changes": lambda w: w.put("oak", {"students.csv": students_csv(40, grade="06")}),
}


@ON_SQLITE
@pytest.mark.parametrize("spoil", LIMITS.values(), ids=LIMITS)
def test_a_limit_holds_a_preview_in_the_words_of_the_real_run(
    oak: World, spoil: Callable[[World], None]
) -> None:
    spoil(oak)
    touch(oak)
    same_as_reconcile(oak, 3)
    waived = preview_of(oak, "oak", "--allow-removals", "oak")
    assert (waived["outcome"], waived["error"]) == ("succeeded", None)


@ON_SQLITE
def test_a_file_that_is_still_being_uploaded_holds_the_preview(oak: World) -> None:
    (oak.export_of("oak") / "students.csv").write_text(students_csv(41))
    touch(oak, sync={"settle_minutes": 60})
    preview = preview_of(oak, "oak")
    assert (preview["outcome"], preview["error"]["code"]) == ("blocked", "sync.file-changing")


REFUSED = ("cut in half", "header only", "missing", "contacts empty", "a column is gone")


@ON_SQLITE
@pytest.mark.parametrize("spoiled", REFUSED)
def test_a_spoiled_file_fails_the_preview_in_the_words_of_the_real_run(oak: World, spoiled: str) -> None:
    SPOILED[spoiled](oak)
    touch(oak)
    same_as_reconcile(oak, 1)


def test_too_many_rejected_rows_fail_the_preview_and_are_not_put_on_record(oak: World) -> None:
    nameless = [
        line.replace("Last", "") if n % 3 else line for n, line in enumerate(students_csv(40).split("\n"))
    ]
    oak.put("oak", {"students.csv": "\n".join(re.sub(r",First\d+,\d+,", ",X,,", line) for line in nameless)})
    touch(oak)
    assert preview_of(oak, "oak")["error"]["code"] == "csv.rows"
    same_as_reconcile(oak, 1)


def test_the_trouble_of_one_district_is_shown_there_and_the_others_go_on(oak: World) -> None:
    oak.district("elm", schools=["0042"])
    oak.put("elm", {"students.csv": students_csv(3)})
    touch(oak)
    oak.server.accounts.pop("elm")
    done = oak.run("plan", "--preview", "--trust-hosts", "--workers", "2", "--format", "json")
    previews = {d["district"]: d["preview"] for d in done.json["districts"]}
    assert done.code == 1
    assert (previews["elm"]["error"]["code"], previews["oak"]["outcome"]) == ("sftp.auth", "succeeded")


# --- what it sends, and whom it trusts ---------------------------------------------------------------------


@pytest.fixture
def canary() -> Iterator[tuple[int, list[str]]]:
    """A port that counts who connects to it."""
    visitors: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                try:
                    visitor, address = server.accept()
                except TimeoutError:
                    continue
                visitors.append(str(address))
                visitor.close()

        thread = threading.Thread(target=watch)
        thread.start()
        yield server.getsockname()[1], visitors
        done.set()
        thread.join()


MOVED: dict[str, Callable[[int], dict[str, Any]]] = {
    "another port": lambda port: {"port": port},
    "another host": lambda port: {"host": "localhost", "port": port},
    "another user": lambda port: {"username": "mallory"},
}


@ON_SQLITE
@pytest.mark.parametrize("moved", MOVED.values(), ids=MOVED)
def test_a_secret_goes_only_where_it_went_before(
    oak: World, canary: tuple[int, list[str]], moved: Callable[[int], dict[str, Any]]
) -> None:
    port, visitors = canary
    oak.seen.clear()
    oak.district("oak", schools=["0042"], sftp=moved(port))
    done = oak.run("plan", "--preview", "--format", "json")
    assert (done.code, done.json["districts"][0]["preview"]["error"]["code"]) == (1, "secret.bound")
    assert (visitors, oak.seen) == ([], [])


def test_a_new_district_is_asked_only_where_the_policy_or_a_person_says_so(
    world: World, canary: tuple[int, list[str]]
) -> None:
    port, visitors = canary
    world.district("oak", schools=["0042"], sftp={"port": port})
    assert preview_of(world, "oak")["error"]["code"] == "secret.bound"
    assert visitors == []
    assert preview_of(world, "oak", "--trust-hosts")["error"]["code"] != "secret.bound"
    asked_by_a_person = len(visitors)
    assert asked_by_a_person
    world.policy(hosts=["127.0.0.1"])
    assert preview_of(world, "oak")["error"]["code"] != "secret.bound"
    assert len(visitors) > asked_by_a_person


def test_a_server_without_a_pin_gets_no_password_and_its_key_is_not_put_on_record(world: World) -> None:
    world.district("oak", schools=["0042"], sftp={"host_key": None})
    world.put("oak", {"students.csv": students_csv(3)})
    world.policy(host_keys="first-use", hosts=["127.0.0.1"])
    before = contents(world)
    error = preview_of(world, "oak")["error"]
    assert error["code"] == "sftp.host-key"
    assert world.server.fingerprint in error["hint"]
    assert (contents(world), [what for what, _ in world.seen if what == "password"]) == (before, [])
    assert world.run("reconcile").code == 0
    world.district("oak", schools=["0042", "7"], sftp={"host_key": None})
    assert preview_of(world, "oak")["outcome"] == "succeeded"


@ON_SQLITE
def test_another_key_than_the_pinned_one_gets_no_password(oak: World) -> None:
    oak.district("oak", schools=["0042", "7"], sftp={"host_key": "SHA256:" + "A" * 43})
    oak.seen.clear()
    assert preview_of(oak, "oak")["error"]["code"] == "sftp.host-key"
    assert oak.seen == []


def test_what_moves_under_a_preview_is_not_shown_as_one_state(
    oak: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.engine import preview  # noqa: PLC0415

    real = preview.look_at

    def slow(*arguments: Any) -> Any:
        looked = real(*arguments)
        oak.put("oak", {"students.csv": students_csv(41)})
        assert oak.run("sync").code == 0
        return looked

    touch(oak)
    monkeypatch.setattr(preview, "look_at", slow)
    assert preview_of(oak, "oak")["error"]["code"] == "lock.held"


def test_a_package_of_changes_that_was_only_previewed_still_counts_as_never_seen(world: World) -> None:
    orgs = csv_text(("sourcedId", "name", "type"), [("0042", "Lincoln", "school")])
    users = csv_text(
        ("sourcedId", "orgSourcedIds", "role", "givenName", "familyName"),
        [(str(n), "0042", "student", "A", f"B{n}") for n in range(1, 4)],
    )
    world.district("oak", "oneroster-1.1", schools=["0042"])
    world.put("oak", {"orgs.csv": orgs, "users.csv": users})
    assert world.run("reconcile").code == 0
    manifest = "propertyName,value\nmanifest.version,1.0\nfile.orgs,bulk\nfile.users,delta\n"
    header, first = users.splitlines()[:2]
    world.put(
        "oak",
        {"manifest.csv": manifest, "users.csv": f"{header},status\n{first.replace('B1', 'C')},active\n"},
    )
    world.district("oak", "oneroster-1.1", schools=["0042", "7"])
    before = contents(world)
    assert counts(preview_of(world, "oak")["rows"])["students"]["changed"] == 1
    assert contents(world) == before
