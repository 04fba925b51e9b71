"""`plan --out FILE` and `reconcile FILE`: exactly what was planned, or nothing and a word on what moved."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.planning.saved_plan import _digest
from tests.acceptance.test_preview import ON_SQLITE, contents, touch
from tests.acceptance.world import Done, World, contacts_csv, csv_text, result_of, students_csv


@pytest.fixture
def oak(world: World) -> World:
    """Two districts: oak is synced and its file was changed since, elm is new."""
    world.policy(hosts=["127.0.0.1"])
    world.district("oak", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(40), "contacts.csv": contacts_csv(40)})
    assert world.run("reconcile").code == 0
    world.put("oak", {"students.csv": students_csv(42)})
    touch(world)
    world.district("elm", schools=["0042"])
    world.put("elm", {"students.csv": students_csv(5)})
    return world


def plan_of(world: World) -> Path:
    return world.root / "plan.json"


def save(world: World, *options: str) -> Done:
    return world.run("plan", "--out", str(plan_of(world)), *options)


def carry_out(world: World, *options: str) -> Done:
    return world.run("reconcile", str(plan_of(world)), *options, "--format", "json")


# --- it does what was planned ------------------------------------------------------------------------------

DAYS: dict[str, dict[str, str | bytes]] = {
    "a first load": {"students.csv": students_csv(30), "contacts.csv": contacts_csv(30)},
    "some change, come and go": {
        "students.csv": students_csv(29, first=3).replace("First5", "Fiona"),
        "contacts.csv": contacts_csv(29, first=3),
    },
    "one is invalid": {"students.csv": students_csv(29, first=3).replace("Last9,", ",", 1)},
    "nothing": {},
}


def test_saving_a_plan_and_carrying_it_out_is_the_same_as_reconcile(world: World) -> None:
    world.policy(hosts=["127.0.0.1"])
    for number, files in enumerate(DAYS.values()):
        for name in ("ash", "fir"):
            world.district(name, schools={"0042": "lincoln", f"another-{number}": "lincoln"})
            world.put(name, files)
        preview = ["--preview"] if number != 1 else []
        assert save(world, "--only", "ash", *preview).code == 0
        by_file, plain = carry_out(world), world.run("reconcile", "--only", "fir", "--format", "json")
        assert (by_file.code, plain.code) == (0, 0)
        ours, theirs = result_of(by_file.json, "ash"), result_of(plain.json, "fir")
        assert [s["name"] for s in ours["steps"]] == [s["name"] for s in theirs["steps"]]
        assert (ours["rows"], ours["outcome"]) == (theirs["rows"], theirs["outcome"])
        stored = [{e: [r for r in rows if r.pop("district") == d] for e, rows in world.everything().items()}
                  for d in ("ash", "fir")]  # fmt: skip
        assert stored[0] == stored[1]
        assert stored[0]["students"]


@pytest.mark.parametrize("options", [[], ["--preview"]], ids=["plain", "with a preview"])
def test_a_plan_file_is_carried_out_once_and_history_has_its_digest(oak: World, options: list[str]) -> None:
    before = contents(oak)
    done = save(oak, *options, "--format", "json")
    assert (done.code, contents(oak)) == (0, before)
    saved = json.loads(plan_of(oak).read_text())
    assert done.json["plan_file"] == {"path": str(plan_of(oak)), "digest": saved["digest"]}

    assert carry_out(oak).json["summary"]["succeeded"] == 2

    assert [len(oak.export("students", "--district", d)) for d in ("elm", "oak")] == [5, 42]
    assert oak.json("history", "--limit", "1")[0]["plan_digest"] == saved["digest"]
    assert oak.json("plan")["districts"] == []
    again = carry_out(oak)
    assert (again.code, again.json["error"]["code"]) == (1, "plan.stale")
    assert "elm: the database moved" in again.json["error"]["message"]


@ON_SQLITE
def test_only_narrows_a_plan_file(oak: World) -> None:
    save(oak, "--preview")
    report = carry_out(oak, "--only", "elm").json
    assert [r["district"] for r in report["results"]] == ["elm"]
    report = carry_out(oak, "--only", "oak").json
    assert [(r["district"], r["outcome"]) for r in report["results"]] == [("oak", "succeeded")]


@ON_SQLITE
def test_a_plan_of_one_district_says_nothing_of_the_others(oak: World) -> None:
    save(oak, "--only", "oak")
    oak.district("fir", schools=["0042"])
    report = carry_out(oak).json
    assert [(r["district"], r["outcome"]) for r in report["results"]] == [("oak", "succeeded")]


def test_a_hold_that_was_reviewed_still_has_to_be_let_through(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(20), "contacts.csv": contacts_csv(20)})
    assert save(oak, "--preview").code == 3
    done = carry_out(oak)
    assert (done.code, result_of(done.json, "oak")["error"]["code"]) == (3, "sync.removals")
    assert len(oak.export("students", "--district", "oak")) == 40
    assert save(oak, "--preview", "--allow-removals", "oak").code == 0
    assert carry_out(oak).json["error"]["code"] == "usage.plan"
    assert carry_out(oak, "--allow-removals", "oak").code == 0
    assert len(oak.export("students", "--district", "oak")) == 20


@ON_SQLITE
def test_the_limits_can_be_waived_where_the_rows_are_those_of_the_preview(oak: World) -> None:
    oak.put("oak", {"students.csv": students_csv(20), "contacts.csv": contacts_csv(20)})
    save(oak, "--preview")
    assert carry_out(oak, "--allow-removals", "oak").code == 0
    assert len(oak.export("students", "--district", "oak")) == 20


# --- or says what moved ------------------------------------------------------------------------------------


def district_file(world: World) -> None:
    touch(world, sync={"max_removal_percent": 100})


def mapper(world: World) -> None:
    path = world.root / "mappers" / "ours.json"
    path.write_text(path.read_text().replace("students.csv", "stud*.csv"))


def another_run(world: World) -> None:
    assert world.run("reconcile", "--only", "oak").code == 0


def back_to_what_is_applied(world: World) -> None:
    world.district("oak", schools=["0042"])


MOVED: dict[str, tuple[Callable[[World], object], str]] = {
    "the district's file": (district_file, "oak: its file, or a default that it takes, changed"),
    "the file is gone": (lambda w: (w.root / "districts" / "oak.yaml").unlink(), "oak: its file is gone"),
    "the file is reverted": (back_to_what_is_applied, "oak: its file, or a default that it takes, changed"),
    "the file is broken": (
        lambda w: (w.root / "districts" / "oak.yaml").write_text("district: oak\n"),
        "oak: its file cannot be used any more (config.schema)",
    ),
    "a new district": (
        lambda w: w.district("fir", schools=["0042"]), "fir: it is not in the plan, and would be changed now",
    ),
    "another run": (another_run, "oak: the database moved"),
    "the policy": (
        lambda w: w.policy(hosts=["127.0.0.1"], max_reject_percent=50), "reconciler.yaml: its policy changed",
    ),
}  # fmt: skip


@ON_SQLITE
@pytest.mark.parametrize(("move", "said"), MOVED.values(), ids=MOVED)
def test_a_plan_whose_files_or_database_moved_is_refused_as_a_whole(
    oak: World, move: Callable[[World], object], said: str
) -> None:
    save(oak)
    move(oak)
    before = contents(oak)
    done = carry_out(oak)
    assert (done.code, done.json["error"]["code"]) == (1, "plan.stale")
    assert said in done.json["error"]["message"]
    assert contents(oak) == before


def test_a_mapper_that_changed_is_named(world: World) -> None:
    (world.root / "mappers").mkdir()
    document = {"name": "ours", "extends": "generic", "files": {"students": {"pattern": "students.csv"}}}
    (world.root / "mappers" / "ours.json").write_text(json.dumps(document))
    world.district("oak", "ours", schools=["0042"])
    world.put("oak", {"students.csv": students_csv(5)})
    save(world)
    mapper(world)
    assert "oak: its mapper changed" in carry_out(world).json["error"]["message"]


def same_size_and_time(world: World) -> None:
    path = world.export_of("oak") / "students.csv"
    found = path.stat()
    path.write_text(path.read_text().replace("First7,", "First8,", 1))
    os.utime(path, (found.st_mtime, found.st_mtime))


def only_the_time(world: World) -> None:
    world.age(world.export_of("oak") / "students.csv")


SERVER: dict[str, tuple[Callable[[World], object], str]] = {
    "one byte": (same_size_and_time, "students.csv on the server is not the file of the plan: its content"),
    "a row": (
        lambda w: w.put("oak", {"students.csv": students_csv(41)}),
        "students.csv on the server is not the file of the plan: it has",
    ),
    "the time": (only_the_time, "it is newer"),
    "a file is gone": (
        lambda w: (w.export_of("oak") / "contacts.csv").unlink(), "contacts.csv is no longer on the server",
    ),
    "a file came": (
        lambda w: w.put("oak", {"staff.csv": "id,first_name,last_name\n1,A,B\n"}), "was not there",
    ),
}  # fmt: skip


@ON_SQLITE
@pytest.mark.parametrize(("move", "said"), SERVER.values(), ids=SERVER)
def test_a_district_whose_remote_files_moved_is_refused_and_the_others_go_on(
    oak: World, move: Callable[[World], object], said: str
) -> None:
    assert save(oak, "--preview").code == 0
    before = {d: oak.status(d) for d in ("oak",)}, oak.export("students", "--district", "oak")
    move(oak)

    done = carry_out(oak)

    stale, other = result_of(done.json, "oak"), result_of(done.json, "elm")
    assert (done.code, stale["outcome"], stale["error"]["code"]) == (1, "failed", "plan.stale")
    assert said in stale["error"]["message"]
    assert other["outcome"] == "succeeded"
    assert before == ({d: oak.status(d) for d in ("oak",)}, oak.export("students", "--district", "oak"))
    assert [d["district"] for d in oak.json("plan")["districts"]] == ["oak"]
    assert oak.json("plan")["districts"][0]["reason"] == ""


def test_rows_that_another_sync_wrote_make_the_district_stale(oak: World) -> None:
    save(oak, "--preview")
    oak.put("oak", {"contacts.csv": contacts_csv(39)})
    assert oak.run("sync", "oak").code == 0
    oak.put("oak", {"contacts.csv": contacts_csv(40)})
    before = oak.everything()
    error = result_of(carry_out(oak, "--only", "oak").json, "oak")["error"]
    assert error["code"] == "plan.stale"
    assert "another sync of oak has written rows" in error["message"]
    assert oak.everything() == before


def test_rows_that_somebody_altered_by_hand_make_the_district_stale(oak: World) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    from reconciler.store.database import Database  # noqa: PLC0415

    save(oak, "--preview")
    database = Database(oak.database_url)
    database.write(lambda t: t.execute(text("UPDATE student SET row_hash = 'x' WHERE id = '00009'")))
    database.close()
    error = result_of(carry_out(oak, "--only", "oak").json, "oak")["error"]
    assert "other rows of oak would change than were planned" in error["message"]


@ON_SQLITE
def test_a_district_that_could_not_be_previewed_is_not_carried_out(oak: World) -> None:
    account = oak.server.accounts.pop("elm")
    assert save(oak, "--preview").code == 1
    oak.server.accounts["elm"] = account
    done = carry_out(oak)
    assert (result_of(done.json, "oak")["outcome"], result_of(done.json, "elm")["error"]["code"]) == (
        "succeeded", "plan.stale",
    )  # fmt: skip
    assert oak.status("oak")["sync_status"] == "Started"
    assert [c["district"] for c in oak.json("status")] == ["oak"]


@ON_SQLITE
def test_a_file_that_was_wrong_when_planned_stays_left_alone(oak: World) -> None:
    path = oak.root / "districts" / "elm.yaml"
    whole = path.read_text()
    path.write_text("district: elm\n")
    assert save(oak, "--preview").code == 1
    path.write_text(whole)
    assert "elm: its file could not be used when it was planned" in carry_out(oak).json["error"]["message"]
    path.write_text("district: elm\n")
    done = carry_out(oak)
    assert [(r["district"], r["outcome"]) for r in done.json["results"]] == [
        ("elm", "failed"), ("oak", "succeeded"),
    ]  # fmt: skip


def test_two_runs_of_one_plan_do_it_once(oak: World) -> None:
    save(oak, "--preview")
    runs = [oak.start("reconcile", str(plan_of(oak)), "--format", "json") for _ in range(2)]
    ended = [(run.communicate(timeout=120)[0], run.returncode) for run in runs]
    assert {code for _, code in ended} <= {0, 1}
    assert 0 in {code for _, code in ended}
    assert [len(oak.export("students", "--district", d)) for d in ("elm", "oak")] == [5, 42]
    assert oak.json("plan")["districts"] == []


def test_a_package_of_changes_is_taken_by_way_of_a_plan_file_too(world: World) -> None:
    header = ("sourcedId", "orgSourcedIds", "role", "givenName", "familyName")
    users = csv_text(header, [(str(n), "0042", "student", "A", f"B{n}") for n in range(1, 4)])
    world.policy(hosts=["127.0.0.1"])
    world.district("oak", "oneroster-1.1", schools=["0042"])
    world.put(
        "oak",
        {"orgs.csv": csv_text(("sourcedId", "name", "type"), [("0042", "L", "school")]), "users.csv": users},
    )
    assert save(world, "--preview").code == 0
    assert carry_out(world).code == 0
    manifest = "propertyName,value\nmanifest.version,1.0\nfile.orgs,bulk\nfile.users,delta\n"
    delta = csv_text((*header, "status"), [("1", "0042", "student", "C", "B1", "active")])
    world.put("oak", {"manifest.csv": manifest, "users.csv": delta})
    world.district("oak", "oneroster-1.1", schools=["0042", "7"])
    assert save(world, "--preview").code == 0
    assert carry_out(world).json["results"][0]["rows"]["students"]["changed"] == 1
    assert {r["first_name"] for r in world.export("students")} == {"A", "C"}


# --- files that are no plan --------------------------------------------------------------------------------


def alter(**values: Any) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def sparse(path: Path) -> None:
    path.unlink()
    with path.open("wb") as file:
        file.truncate(1 << 40)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "altered": (alter(scope=["oak"]), "was altered"),
    "without a digest": (alter(digest=None), "was altered"),
    "of another version": (alter(version=2), "another version"),
    "of something else": (lambda p: p.write_text('{"planned_values": {}}'), "is no plan of reconciler"),
    "a list": (lambda p: p.write_text("[]"), "is no plan of reconciler"),
    "of another shape": (alter(districts=[{"district": "oak"}]), "is not as reconciler writes it"),
    "districts are a text": (alter(districts="oak"), "is not as reconciler writes it"),
    "cut": (lambda p: p.write_text(p.read_text()[:-20]), "is no JSON, or was cut"),
    "empty": (lambda p: p.write_text(""), "is no JSON, or was cut"),
    "no text": (lambda p: p.write_bytes(b"\xff\xfe\x00"), "is no JSON, or was cut"),
    "nested without an end": (lambda p: p.write_text("[" * 500_000), "is no JSON, or was cut"),
    "a key twice": (lambda p: p.write_text(p.read_text().replace("{", '{"version": 1,', 1)), "is no JSON"),
    "a number without an end": (lambda p: p.write_text("9" * 10_000), "is no JSON"),
    "too large": (sparse, "is larger than 256 MiB"),
    "a pipe": (pipe, "is no regular file"),
    "a folder": (folder, "cannot be read"),
    "not there": (lambda p: p.unlink(), "No such file"),
}


@pytest.fixture(scope="module")
def plan_text(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> str:
    """A plan of one district, of a world that is gone."""
    home = tmp_path_factory.mktemp("plan")
    (home / "state.db").write_bytes(sqlite_template.read_bytes())
    with pytest.MonkeyPatch.context() as patch, World(home, f"sqlite:///{home}/state.db", patch) as world:
        world.district("oak", schools=["0042"])
        save(world)
        return plan_of(world).read_text()


@pytest.fixture
def bare(tmp_path: Path, plan_text: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository with that plan, and no server that anybody asks."""
    world = World(tmp_path, f"sqlite:///{tmp_path}/state.db", monkeypatch)
    world.server.stop()
    plan_of(world).write_text(plan_text)
    return world


@pytest.mark.parametrize(("spoil", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_is_no_plan_is_refused_in_words_of_our_own(
    bare: World, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(plan_of(bare))
    done = carry_out(bare)
    assert (done.code, done.json["error"]["code"]) == (1, "plan.file")
    assert said in done.json["error"]["message"]
    assert "Traceback" not in done.err


def forge(path: Path, edit: Callable[[Any], None]) -> None:
    """Alter a plan and give it the digest that fits, as somebody would who knows how."""
    document = json.loads(path.read_text())
    edit(document)
    content = {k: v for k, v in document.items() if k != "digest"}
    path.write_text(json.dumps({**content, "digest": _digest(content)}))


FORGED: dict[str, Callable[[Any], None]] = {
    "another step": lambda d: d["districts"][0]["steps"].append("deactivate"),
    "another host": lambda d: d["districts"][0]["changes"].append({"path": "sftp.host", "after": "evil"}),
    "another district": lambda d: d["districts"].append({**d["districts"][0], "district": "fir"}),
    "another spec": lambda d: d["districts"][0]["bound"].update(spec="0" * 64),
    "another action": lambda d: d["districts"][0].update(action="retire", steps=["stop"]),
    "steps that are a number": lambda d: d["districts"][0].update(steps=7),
    "no steps": lambda d: d["districts"][0].pop("steps"),
}


@ON_SQLITE
@pytest.mark.parametrize("edit", FORGED.values(), ids=FORGED)
def test_a_forged_plan_widens_nothing(world: World, edit: Callable[[Any], None]) -> None:
    world.district("oak", schools=["0042"])
    save(world)
    before = contents(world)
    forge(plan_of(world), edit)
    done = carry_out(world)
    assert (done.code, done.json["error"]["code"], contents(world)) == (1, "plan.stale", before)


@ON_SQLITE
@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s.update(files="x"), lambda s: s.update(files=[{}]), lambda s: s.pop("delta"),
        lambda s: s["files"][0].update(size="many"),
    ],
    ids=["files are a text", "an empty file", "no digest", "a size in words"],
)  # fmt: skip
def test_a_forged_preview_is_refused_in_words_of_our_own(oak: World, edit: Callable[[Any], None]) -> None:
    save(oak, "--preview")
    forge(plan_of(oak), lambda d: edit(d["districts"][1]["bound"]["seen"]))
    done = carry_out(oak)
    assert (done.code, done.json["error"]["code"]) == (1, "plan.file")


@pytest.mark.parametrize("options", [["--only", "fir"], ["--allow-removals", "fir"]])
def test_a_plan_file_has_to_have_what_is_asked_of_it(bare: World, options: list[str]) -> None:
    done = carry_out(bare, *options)
    assert (done.code, done.json["error"]["code"]) == (64, "usage.plan")


# --- writing it --------------------------------------------------------------------------------------------


def test_a_plan_file_is_written_whole_or_not_at_all(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan_of(bare).read_text()
    (bare.root / "folder").mkdir()
    places = ("folder", "nowhere/plan.json", "n" * 300, "plan.json/plan.json", "pipe")
    os.mkfifo(bare.root / "pipe")
    for place in places:
        done = bare.run("plan", "--preview", "--out", str(bare.root / place), "--format", "json")
        assert (done.code, done.json["error"]["code"]) == (64, "usage.out"), place

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert save(bare).code == 64
    assert plan_of(bare).read_text() == before
    assert [p.name for p in bare.root.iterdir() if p.name.endswith(".plan")] == []
