"""Promise 9, and G18: nothing of a child or a contact in any report, log, plan, history or left-over file.

Every cell of a person is a canary, and the files are right, or wrong in each way in which files are wrong.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import create_engine, inspect, text

from reconciler.mapping.library import builtin_names
from reconciler.roster.roster import Roster
from tests import canaries
from tests.acceptance.people import BORN, TOKEN, UNMISTAKABLE, canary_files, schools_of
from tests.acceptance.world import World, csv_text

Files = dict[str, str | bytes]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan", "--preview", "--trust-hosts", "--format", "markdown"),
    ("plan", "--preview", "--trust-hosts", "--format", "json", "--out", "PLAN"),
    ("reconcile", "--format", "json"),
    ("sync", "--format", "text"),
    ("rejects", "oak", "--format", "text"),
    ("rejects", "oak", "--format", "csv"),
    ("schools", "oak"),
    ("test", "oak"),
    ("status", "oak", "--format", "json"),
    ("history", "--format", "json"),
    ("map", "MAPPER", "FOLDER", "--rejects", "REJECTS"),
)

SHORT = tuple(c for c in COMMANDS if c[0] in ("sync", "status", "map") or c[-1] == "csv")
"""What is tried of wrong files without `--canaries`."""


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A fleet without districts; what is said is the same on either database."""
    shutil.copyfile(sqlite_template, tmp_path / "state.db")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with World(tmp_path, f"sqlite:///{tmp_path / 'state.db'}", monkeypatch) as made:
        yield made


def everything(
    world: World, mapper: str, commands: tuple[tuple[str, ...], ...] = COMMANDS
) -> Iterator[tuple[str, str]]:
    """(where, what it says) of all that the program says, stores beside the roster, and leaves."""
    base = world.root.parent
    places = {
        "PLAN": str(base / "plan.json"), "REJECTS": str(base / "rejects.csv"),
        "FOLDER": str(world.export_of("oak")), "MAPPER": mapper,
    }  # fmt: skip
    for number, command in enumerate(commands):
        form = ("text", "json")[number % 2]
        arguments = [places.get(word, word) for word in command]
        done = world.run("--log-level", "debug", "--log-format", form, *arguments)
        assert "Traceback" not in done.err
        yield " ".join(command), done.out + done.err
    yield from tables(world)
    for path in (base / "plan.json", base / "rejects.csv", *(base / "scratch").rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes().decode("latin-1")


def tables(world: World) -> Iterator[tuple[str, str]]:
    """What is stored beside the roster."""
    engine = create_engine(world.database_url)
    with engine.connect() as connection:
        for table in set(inspect(connection).get_table_names()) - canaries.ROSTER:
            yield f"table {table}", repr(connection.execute(text(f'SELECT * FROM "{table}"')).fetchall())
    engine.dispose()


def canaries_in(said: str) -> list[str]:
    """The canaries that a text holds, in any form."""
    lower = said.lower()
    return [token for token in UNMISTAKABLE for form in canaries.forms(token) if form in lower]


def leaks(
    world: World, mapper: str, commands: tuple[tuple[str, ...], ...] = COMMANDS
) -> dict[str, list[str]]:
    """Where canaries are, and which."""
    found = {where: canaries_in(said) for where, said in everything(world, mapper, commands)}
    return {where: seen for where, seen in found.items() if seen}


@pytest.mark.parametrize("mapper", builtin_names())
def test_of_a_district_of_canaries_nothing_is_told(world: World, mapper: str) -> None:
    world.policy(max_reject_percent=60)
    world.district("oak", mapper=mapper, schools=schools_of(mapper), sftp={"file_pattern": "*"})
    world.put("oak", canary_files(mapper))
    assert leaks(world, mapper) == {}
    stored = world.run("export", "students").out + world.run("export", "contacts").out
    assert TOKEN in stored.lower()


HEADER = ("id", "school", "first_name", "last_name", "grade", "birth_date", "email")
STUDENTS = [
    (f"{n:05d}", "0042", f"Canary{n}", f"Canaryson{n}", "05", BORN[0], f"canary{n}@example.org")
    for n in range(80)
]
CONTACT_HEADER = ("student", "name", "relationship", "phone", "may_pick_up", "address")
CONTACTS = [
    (f"{n:05d}", f"Canaryma{n} Canaryson", "Mother", f"5558835{n:03d}", "yes", f"{n} Canary Street")
    for n in range(80)
]
GOOD: Mapping[str, str] = {
    "students.csv": csv_text(HEADER, STUDENTS),
    "contacts.csv": csv_text(CONTACT_HEADER, CONTACTS),
}


def each(change: Callable[[list[str]], list[str]]) -> Callable[[], Files]:
    """Every row of both files, the header left as it is."""

    def files() -> Files:
        found: Files = {}
        for name, whole in GOOD.items():
            header, *rows = whole.splitlines()
            found[name] = "\n".join([header, *(",".join(change(row.split(","))) for row in rows)]) + "\n"
        return found

    return files


def whole(change: Callable[[str], str | bytes]) -> Callable[[], Files]:
    """Both files as texts."""
    return lambda: {name: change(content) for name, content in GOOD.items()}


def some(change: Callable[[str], str]) -> Callable[[], Files]:
    """Two rows of each file."""
    return whole(
        lambda t: "\n".join(change(line) if n in (3, 9) else line for n, line in enumerate(t.split("\n")))
    )


WRONG: dict[str, Callable[[], Files]] = {
    "without its header": whole(lambda t: t.partition("\n")[2]),
    "a person for a header": whole(lambda t: t.split("\n")[1] + "\n" + t),
    # A word of the first row is a column's name: it passes for a header.
    "a person for a header that passes for one": whole(
        lambda t: t.split("\n")[1].replace("Mother", "relationship").replace(",05,", ",grade,") + "\n" + t
    ),
    "one column more": each(lambda row: [*row, "Canary"]),
    "shifted to the left": each(lambda row: row[1:]),
    "shifted to the right": each(lambda row: ["x", *row]),
    "names for ids": each(lambda row: [row[-1], *row[1:-1], row[0]]),
    "a quote that stays open": some(lambda line: line.replace("Canary", '"Canary', 1)),
    "a quote in the middle": some(lambda line: line.replace("Canary", 'Can"Canary"', 1)),
    "a NUL": some(lambda line: line + "\0"),
    "a cell too many": some(lambda line: line + ",Canary"),
    "control characters in an id": some(lambda line: f"\x01Canary{line}"),
    "an id longer than any": some(lambda line: "Canary" * 60 + line),
    "an id as a spreadsheet has it": some(lambda line: "1.23E+11," + line.partition(",")[2]),
    "a cell longer than any": some(lambda line: line.replace("Canary", "Canary" * 30_000, 1)),
    "dates that are none": each(lambda row: [c.replace(BORN[0], "Canary-13-45") for c in row]),
    "an id twice with two names": some(lambda line: "00001," + line.partition(",")[2]),
    "bytes of no encoding": whole(lambda t: t.encode().replace(b"Canaryson3", b"Canary\x81\x8d\xff")),
    "half of UTF-16": whole(lambda t: t.encode("utf-16")[:-1]),
    "cut in a row": whole(lambda t: t[: len(t) * 2 // 3]),
    "semicolons and names": some(lambda line: line[:11] + line[11:].replace(",", ";Canary,")),
    "other people": each(lambda row: [f"9{row[0]}", *row[1:]]),
    "all names exchanged": each(lambda row: [*row[:2], row[3], row[2], *row[4:]]),
    "noise": whole(lambda t: random.Random(7).randbytes(400) + t.encode()),
}  # fmt: skip


@pytest.mark.parametrize("wrong", [pytest.param(make, id=name) for name, make in WRONG.items()])
def test_of_wrong_files_nothing_is_told_either(world: World, wrong: Callable[[], Files]) -> None:
    world.district("oak", schools=["0042"])
    if canaries.GUARD.everywhere:
        world.put("oak", wrong())
        assert leaks(world, "generic") == {}
    world.put("oak", GOOD)
    assert world.run("reconcile").code == 0
    world.put("oak", wrong())
    assert leaks(world, "generic", COMMANDS if canaries.GUARD.everywhere else SHORT) == {}


@pytest.mark.parametrize(
    "kind", [ValueError, KeyError, duckdb.ConversionException, MemoryError], ids=lambda k: k.__name__
)
def test_a_fault_of_ours_repeats_no_row(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kind(f"Could not convert '{STUDENTS[0]}'")

    world.district("oak", schools=["0042"])
    world.put("oak", GOOD)
    monkeypatch.setattr(Roster, "resolve", fail)
    assert leaks(world, "generic", (("reconcile", "--format", "json"), *SHORT)) == {}
    assert world.status("oak")["problem"]["code"] in ("internal", "csv.failed")
