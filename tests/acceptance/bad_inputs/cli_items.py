"""Wrong calls, streams that fail, and what scripts rely on (items 145 to 154)."""

from __future__ import annotations

import subprocess

from tests.acceptance.bad_inputs.case import OAK, Build, Case, content, write
from tests.acceptance.bad_inputs.interrupts import Door
from tests.acceptance.bad_inputs.processes import called_in, in_a_process, in_a_shell, on_a_terminal
from tests.acceptance.bad_inputs.secret_items import two_districts
from tests.acceptance.world import World, result_of, students_csv

PLAN = ("plan",)
DOOR = Door()


def nothing(_world: World) -> None:
    """An empty repository will do."""


def _usage(
    item: str, command: tuple[str, ...], says: str, code: str = "usage", build: Build = nothing
) -> Case:
    return Case(f"cli-{item}", build, code, says, exit=64, command=command)


# -- git ----------------------------------------------------------------------------------------------------


def _git(world: World, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", str(world.root), "-c", "user.name=A", "-c", "user.email=a@b.example", *arguments],
        check=True,
        capture_output=True,
    )


def _dirty(world: World) -> None:
    """A checkout in which somebody goes on writing."""
    two_districts(world)
    _git(world, "init", "-q")
    _git(world, "add", ".")
    _git(world, "commit", "-qm", "Two districts")
    path = world.root / "districts" / "oak.yaml"
    path.write_text(path.read_text().replace("Oak", "Oaks"))


def _told_dirty(world: World) -> None:
    assert world.json("history")[0]["commit"].endswith("-dirty")


def _without_commit(world: World) -> None:
    assert world.json("history")[0]["commit"] == ""


# -- outcomes -----------------------------------------------------------------------------------------------


def _one_of_two_is_wrong(world: World) -> None:
    two_districts(world)
    world.put("oak", {"students.csv": "id,school\n"})


def _carried_out(world: World) -> None:
    two_districts(world)
    assert world.run("reconcile").code == 0


def _still_uploading(world: World) -> None:
    world.district("oak", schools=["0042"], sync={"settle_minutes": 60})
    world.put("oak", {"students.csv": students_csv(3)})
    (world.export_of("oak") / "students.csv").touch()


def _most_are_gone(world: World) -> None:
    """In sync with 40 students; then a file with 25."""
    two_districts(world)
    world.put("oak", {"students.csv": students_csv(40)})
    assert world.run("reconcile").code == 0
    world.put("oak", {"students.csv": students_csv(25)})


def _waived_once_by_name(world: World) -> None:
    done = world.json("sync", "oak", "--allow-removals", "oak")
    assert result_of(done, "oak")["rows"]["students"]["removed"] == 15
    world.put("oak", {"students.csv": students_csv(12)})
    assert world.run("sync", "oak").code == 3


def _wrong_by_the_hundred(world: World) -> None:
    for number in range(300):
        write(world, f"districts/d-{number}.yaml", "nonsense: 1\n")


def _letters(world: World) -> None:
    write(world, "districts/élan.yaml", OAK)


def _broken_settings(world: World) -> None:
    write(world, "reconciler.yaml", "policy: {host_keys: maybe}\n")


def _lost_database(world: World) -> None:
    world.environment["RECONCILER_DATABASE_URL"] = "postgresql://u:canary7@127.0.0.1:1/none"


def _export(world: World) -> None:
    world.put("oak", {"students.csv": students_csv(3) + "x\n"})
    (world.root / "exports").symlink_to(world.export_of("oak"))
    world.environment["ROOT"] = str(world.root)


def _done_all_the_same(world: World) -> None:
    assert {r["district"] for r in world.export("students")} == {"elm", "oak"}


_COUNTY = "postgresql://u:canary7@127.0.0.1:1/none"
_PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

CASES = [
    Case("cli-145-no-arguments", nothing, "usage", "no command is named", exit=64, command=(),
         way=called_in("fleet"), json=False),
    _usage("145-unknown-command", ("planned",), "No such command 'planned'"),
    Case("cli-145-nearly-a-command", nothing, "usage", "did you mean 'plan'?", exit=64, command=("plann",)),
    Case("cli-145-folder-that-is-not-there", nothing, "usage", "which is not a folder", exit=64,
         command=("-C", "/dev/null/gone", "plan")),
    Case("cli-145-empty-folder", nothing, "usage", "no folder districts/ in", exit=64, command=PLAN,
         way=called_in("empty")),
    Case("cli-145-no-git-repository", two_districts, "", "oak", exit=0, command=("reconcile",),
         json=False, after=_without_commit),
    Case("cli-145-dirty-tree", _dirty, "", "oak", exit=0, command=("reconcile",), json=False,
         after=_told_dirty),
    _usage("146-unknown-district", ("plan", "--only", "nobody"), "there is no district 'nobody'",
           "usage.district"),
    _usage("146-nearly-a-district", ("reconcile", "--only", "oka"), "did you mean 'oak'?", "usage.district",
           content(OAK)),
    Case("cli-147-reader-who-leaves-early", _wrong_by_the_hundred, "", "", exit=1, way=in_a_shell(
         "PROGRAM | head -c 1 >/dev/null"), json=False),
    Case("cli-147-nobody-reads-how-it-failed", _one_of_two_is_wrong, "", "", exit=1, command=("reconcile",),
         way=in_a_shell("PROGRAM | true"), json=False),
    Case("cli-147-closed-standard-output", nothing, "", "", exit=0, command=PLAN,
         way=in_a_shell("PROGRAM >&-"), json=False),
    Case("cli-147-closed-standard-error", nothing, "", "", exit=64, command=("plan", "--only", "x"),
         way=in_a_shell("PROGRAM 2>&-"), json=False),
    Case("cli-148-locale-without-letters", _letters, "config.reference", "the file is named élan.yaml",
         "districts/élan.yaml:1:11", way=in_a_process(**_PLAIN_LOCALE)),
    Case("cli-148-no-terminal-no-colour", content("x: 1\n"), "config.schema", " error [",
         json=False),
    Case("cli-148-terminal-with-colour", content("x: 1\n"), "config.schema", "\033[31m", exit=1,
         way=on_a_terminal(TERM="xterm"), json=False),
    Case("cli-148-terminal-without-colour", content("x: 1\n"), "config.schema", " error [", exit=1,
         way=on_a_terminal(TERM="xterm", NO_COLOR="1"), json=False),
    _usage("149-unknown-option", ("plan", "--frobnicate"), "No such option '--frobnicate'"),
    _usage("149-option-without-value", ("plan", "--format", "json", "--only"), "requires an argument"),
    _usage("149-missing-argument", ("test",), "Missing argument"),
    _usage("149-number-that-is-none", ("reconcile", "--workers", "many"), "is not a valid integer"),
    _usage("149-wrong-global-option", ("--log-level", "loud", "plan"), "is not one of"),
    _usage("149-path-that-is-not-there", ("validate", "nowhere.yaml"), "does not exist"),
    Case("cli-149-broken-settings", _broken_settings, "config.schema", "must be one of",
         "reconciler.yaml:1:21", command=PLAN),
    Case("cli-149-database-that-is-away", _lost_database, "database.unreachable", "cannot use the database",
         command=("status",)),
    Case("cli-149-mapper-that-is-broken", lambda w: (content(OAK)(w), write(w, "mappers/generic.json", "{")),
         "mapper.schema", "is expected here", "mappers/generic.json:1:2", command=PLAN),
    _usage("150-password-as-an-option", ("plan", "--password", "hunter2-canary"),
           "a secret is never given on the command line", "usage.secret"),
    _usage("150-password-with-an-equals-sign", ("test", "oak", "--password=hunter2-canary"),
           "a secret is never given on the command line", "usage.secret"),
    _usage("150-passphrase-as-an-option", ("test", "oak", "--passphrase", "hunter2-canary"),
           "change the secret if this was a real one", "usage.secret"),
    _usage("150-password-as-an-argument", ("plan", "hunter2-canary"),
           "more arguments than the command takes"),
    Case("cli-150-password-in-a-database-url", nothing, "database.unreachable",
         "everyone on this machine can read the password in --database-url",
         command=("--database-url", _COUNTY, "status"), json=False),
    Case("cli-151-disk-full-on-a-report", two_districts, "output.failed",
         "the report cannot be written: no space left on device", command=("reconcile",),
         way=in_a_shell("PROGRAM >/dev/full"), json=False, after=_done_all_the_same),
    Case("cli-151-disk-full-on-messages", nothing, "", "", exit=64, command=("plan", "--only", "x"),
         way=in_a_shell("PROGRAM 2>/dev/full"), json=False),
    Case("cli-151-disk-full-on-an-export", nothing, "output.failed", "no space left on device",
         command=("export", "students"), way=in_a_shell("PROGRAM >/dev/full"), json=False),
    Case("cli-151-disk-full-on-rejects", _export, "local.refused", "no space left on device",
         command=("map", "generic", "exports", "--rejects", "/dev/full"), json=False,
         way=in_a_shell("cd $ROOT; PROGRAM")),
    Case("cli-153-done-is-0", _carried_out, "", "0 failed", exit=0, command=("reconcile",), json=False),
    Case("cli-153-one-that-failed-is-1", _one_of_two_is_wrong, "mapper.column", "1 failed", exit=1,
         command=("reconcile",), json=False),
    Case("cli-153-changes-that-wait-are-2", two_districts, "", "oak", exit=2,
         command=("plan", "--detailed-exitcode")),
    Case("cli-153-changes-that-wait-are-0-unasked", two_districts, "", "oak", exit=0, command=PLAN),
    Case("cli-153-held-is-3", _still_uploading, "sync.file-changing", "still being uploaded", exit=3,
         command=("reconcile",)),
    _usage("153-wrong-usage-is-64", ("reconcile", "--workers", "0"), "is not in the range"),
    Case("cli-152-interrupted-once-what-is-at-work-ends-its-step", DOOR.three_districts, "interrupted",
         "the run was interrupted", exit=130, command=("reconcile", "--workers", "1"),
         way=DOOR.interrupted(1), json=False, after=DOOR.goes_on),
    Case("cli-152-interrupted-twice-ends-at-once", DOOR.three_districts, "interrupted",
         "what was finished stays finished", exit=130,
         command=("reconcile", "--workers", "1", "--format", "json"), way=DOOR.interrupted(2), json=False,
         after=DOOR.goes_on),
    _usage("154-no-force", ("sync", "--force"), "No such option '--force'"),
    _usage("154-a-waiver-names-its-district", ("sync", "--format", "json", "--allow-removals"),
           "requires an argument"),
    Case("cli-154-a-waiver-for-another-district", _most_are_gone, "sync.removals", "15 of 40", exit=3,
         command=("sync", "oak", "--allow-removals", "elm"), after=_waived_once_by_name),
]  # fmt: skip
