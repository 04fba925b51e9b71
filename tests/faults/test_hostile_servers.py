"""Whatever servers do: each is left in time and named, no row has changed, and no good district waits."""

from __future__ import annotations

import os
import random
import threading
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.acceptance.world import World, contacts_csv, result_of, students_csv
from tests.faults.hostile_fleet import MODES, STUDENTS, Hostile, hostile_fleet, mode_of
from tests.faults.hostile_server import dropping
from tests.faults.laboratory import newest_run, stored
from tests.faults.measured import Measured, measured
from tests.faults.saying import Say, say

__all__ = ["say"]

pytestmark = [
    pytest.mark.timeout(3600),
    # What a server does reaches no database; that nothing is half written is shown on both elsewhere.
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

LIMITS = {
    "connect_seconds": 3, "step_seconds": 3, "session_seconds": 6, "transfer_seconds": 3, "visit_seconds": 8,
}  # fmt: skip
BACKOFF = {"first_seconds": 0.1, "within_seconds": 4}
DEADLINE = BACKOFF["within_seconds"] + LIMITS["visit_seconds"]
"""Seconds from the first try of a visit to its end: no try begins after four, and each ends in eight."""
MOST_KIB = 150 * 1024
MOST_OF_A_FLEET_KIB = 300 * 1024
"""A hundred of them at once, beside as many that are synced."""
SHORT = (
    "silent at banner", "silent at key exchange", "silent at auth", "silent at read", "dribble",
    "1 TiB claimed", "a million names", "half a file", "replaced by one of the same size", "huge packet",
    "login refused", "login refused on the third try", "another host key",
)  # fmt: skip
"""Those of `make test`."""
ALONE = ("silent at readdir", "huge packet before the login")
"""Those that it looks at one by one."""
LOGINS = {
    "another host key": 0,
    "login refused": 1,
    "login refused on the third try": 2,  # the first one is the first sync's; taken and lost; refused
    "silent at auth": 1,
    "silent at banner": 0,
    "silent at key exchange": 0,
}
"""How often the password was sent in a run."""


def test_hostile_servers_at_once_harm_nobody(world: World, tmp_path: Path, rounds: int, say: Say) -> None:
    modes = list(MODES) if rounds >= 100 else list(SHORT)
    with hostile_fleet(world, modes, good=4) as fleet:
        before = fleet.rows()
        fleet.turn()
        (run,) = _measured(fleet, tmp_path, [["sync", "--workers", "4"]])
        say(f"{len(modes)} hostile servers at once: {run.seconds:.1f} s, {run.kib / 1024:.1f} MiB above idle")
        assert run.code == 1
        _hold(run, fleet)
        _hold_logins(fleet)
        for name in fleet.good[1:]:  # the first one was synced to warm up
            assert run.result(name)["rows"]["students"]["added"] == 1
        assert fleet.rows() == before


def test_a_hostile_server_by_itself_is_left_in_time_and_leaves_nothing_behind(
    world: World, tmp_path: Path, rounds: int, say: Say
) -> None:
    modes = list(MODES) if rounds >= 100 else list(ALONE)
    with hostile_fleet(world, modes, good=1) as fleet:
        before = fleet.rows()
        fleet.turn()
        runs = _measured(fleet, tmp_path, [["sync", name] for name in fleet.servers])
        for name, run in zip(fleet.servers, runs, strict=True):
            code, mib = run.result(name)["error"]["code"], run.kib / 1024
            say(f"{mode_of(name):35} {code:20} {run.seconds:5.1f} s {mib:6.1f} MiB")
            assert run.code == (3 if mode_of(name).startswith("replaced") else 1)
            assert run.seconds <= DEADLINE + 1
            _hold(run, fleet)
        _hold_logins(fleet)
        assert fleet.rows() == before


def _hold(run: Measured, fleet: Hostile, most_kib: int = MOST_KIB, or_else: tuple[str, ...] = ()) -> None:
    """Each hostile district of the run ended as it should, and the process is as it was.

    `or_else`: codes that are right as well where a hundred servers share this machine's processors.
    """
    for result in run.report["results"]:
        if result["district"] in fleet.servers:
            mode = mode_of(result["district"])
            assert (result["error"] or {}).get("code") in (*MODES[mode], *or_else), (mode, result)
            assert sum(step["seconds"] for step in result["steps"]) <= DEADLINE + 1, (mode, result)
            assert "\x1b" not in result["error"]["message"]
            assert all(sum(counts.values()) == 0 for counts in result["rows"].values())
    assert run.kib <= most_kib
    assert run.after[0] == run.before[0]
    assert run.after[1] <= run.before[1]


def _hold_logins(fleet: Hostile) -> None:
    """In the one run since the first sync, which sent one."""
    for name, server in fleet.servers.items():
        mode = mode_of(name)
        assert server.logins - 1 == LOGINS.get(mode, server.logins - 1), mode


def _measured(fleet: Hostile, folder: Path, commands: list[list[str]]) -> list[Measured]:
    warm = ["sync", fleet.good[0]]
    return measured(fleet.world, folder, warm, commands, limits=LIMITS, backoff=BACKOFF)


def test_a_connection_that_is_cut_after_any_byte_changes_no_row_or_all_of_them(
    world: World, rounds: int, say: Say
) -> None:
    """The same bytes are cut in each try of a run: some runs get through to the end before."""
    world.district("oak", schools=["0042"])
    with dropping(world.server.port) as relay:
        world.district("oak", schools=["0042"], sftp={"port": relay.port})
        _upload(world, STUDENTS)
        assert world.run("reconcile").code == 0
        _upload(world, STUDENTS + 1)
        assert world.run("sync").code == 0
        whole = relay.passed
        before, codes = stored(world.database_url)["student"], []
        for number, after in enumerate(_bytes(whole, 200 if rounds >= 100 else 12)):
            _upload(world, STUDENTS - number % 5)
            relay.after = after
            result = result_of(world.json("sync"), "oak")
            relay.after = None
            codes.append(result["error"]["code"] if result["error"] else "none")
            assert codes[-1] in ("sftp.unreachable", "sftp.auth", "sftp.interrupted", "none"), (after, result)
            now = stored(world.database_url)["student"]
            if codes[-1] == "none":
                before = now
                assert len(world.export("students")) == STUDENTS - number % 5
            assert now == before, f"cut after {after} of {whole} bytes"
        say(f"cut after {len(codes)} values of N: " + str({code: codes.count(code) for code in set(codes)}))
        assert world.run("sync").code == 0
        assert len(world.export("students")) == STUDENTS - number % 5


def _bytes(whole: int, count: int) -> list[int]:
    """So many places to cut at, from the first byte to a little after the last."""
    chosen = random.Random(whole)
    return [*sorted(chosen.sample(range(1, whole + 200), count - 1)), whole + 10_000]


def _upload(world: World, students: int) -> None:
    world.put("oak", {"students.csv": students_csv(students), "contacts.csv": contacts_csv(students)})


@pytest.mark.parametrize("at_rows", [False, True], ids=["cut anywhere", "cut at the ends of rows"])
def test_a_file_that_is_uploaded_in_slow_chunks_is_read_as_it_was_or_as_it_is_whole(
    world: World, rounds: int, at_rows: bool
) -> None:
    """No settling time is set, and what is missing of the file is within every limit on removals."""
    world.district("oak", schools=["0042"])
    _upload(world, 100)
    assert world.run("reconcile").code == 0
    path, over = world.export_of("oak") / "students.csv", threading.Event()
    pieces = _chunks(students_csv(104).encode(), 10 if rounds >= 100 else 3, at_rows=at_rows)

    def upload() -> None:
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(0.9)
        over.set()

    thread = threading.Thread(target=upload)
    thread.start()
    seen = set()
    while not over.is_set():
        world.run("sync")
        seen.add(len(world.export("students")))
    thread.join()
    assert seen <= {100, 104}
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert world.run("sync").code == 0
    assert len(world.export("students")) == 104


def test_an_upload_that_goes_on_is_seen_when_its_file_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.district("oak", schools=["0042"])
    _upload(world, 100)
    assert world.run("reconcile").code == 0
    most, rest = _chunks(students_csv(95).encode(), 2, at_rows=True)
    path = world.export_of("oak") / "students.csv"
    path.write_bytes(most)

    def go_on(seconds: float) -> None:
        assert 0 < seconds <= 3
        with path.open("ab") as file:
            file.write(rest)

    monkeypatch.setattr("reconciler.engine.visit.time", SimpleNamespace(sleep=go_on))
    done = world.run("sync", "--format", "json")
    assert (done.code, result_of(done.json, "oak")["error"]["code"]) == (3, "sync.file-changing")
    assert len(world.export("students")) == 100


def _chunks(whole: bytes, count: int, *, at_rows: bool) -> list[bytes]:
    """Most of it, and then a row at a time; or with the cuts in the midst of rows."""
    lines, back = whole.splitlines(keepends=True), 0 if at_rows else 7
    ends = [len(b"".join(lines[:-left])) - back for left in range(count - 1, 0, -1)]
    return [whole[start:end] for start, end in pairwise([0, *ends, len(whole)])]


def test_half_of_a_fleet_hostile_costs_the_good_half_little(
    world: World, tmp_path: Path, rounds: int, say: Say
) -> None:
    """The good half alone, then the whole fleet as it turns hostile, and again when that is known.

    What counts is when the last good district is done; the ratios are printed.
    """
    number = 3 * len(MODES) if rounds >= 100 else 2
    modes = [list(MODES)[n % len(MODES)] for n in range(number)]
    with hostile_fleet(world, modes, good=number) as fleet:
        before = fleet.rows()
        fleet.turn()
        commands = (["sync", *fleet.good[1:]], ["sync"], ["sync"])
        seconds, runs = [], []
        for round_, command in enumerate(commands, start=1):
            fleet.renew(STUDENTS + round_)
            (run,) = _measured(fleet, tmp_path, [[*command, "--workers", "4"]])
            runs.append(run)
            if len(runs) == 2:
                _hold_logins(fleet)
            done = newest_run(fleet.world.database_url)
            seconds.append(max(at for district, at in done if district in fleet.good))
        turned, known = seconds[1] / seconds[0], seconds[2] / seconds[0]
        say(
            f"{number - 1} good districts alone: the last one is done after {seconds[0]:.1f} s; "
            f"with {number} that turn hostile after {turned:.2f} times that, in the next run {known:.2f}; "
            f"runs of {runs[1].seconds:.1f} and {runs[2].seconds:.1f} s; {runs[1].kib / 1024:.0f} MiB"
        )
        assert [run.code for run in runs] == [0, 1, 1]
        for run in runs:
            _hold(run, fleet, MOST_OF_A_FLEET_KIB, or_else=("sftp.timeout",))
            for name in fleet.good[1:]:
                assert run.result(name)["rows"]["students"]["added"] == 1
        assert fleet.rows() == before
