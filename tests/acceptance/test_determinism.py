"""The same files and the same database make the same words, to the byte, wherever they are read."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.acceptance.world import World, students_csv

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SURROUNDINGS = [
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "77", "TZ": "America/Chicago", "LC_ALL": "tr_TR.UTF-8"},
    {"PYTHONHASHSEED": "random", "TZ": "Pacific/Apia", "LC_ALL": "de_DE.ISO-8859-1"},
]
REPORTS = [
    ("plan", "--format", "json"),
    ("plan", "--format", "markdown"),
    ("validate", "--format", "json"),
    ("status", "--format", "json"),
    ("explain", "oak", "--format", "json"),
]


@pytest.fixture
def fleet(world: World) -> World:
    """A synced district, four new ones, one that is wrong in several places, and one whose file is gone."""
    for name in ("oak", "gone"):
        world.put(name, {"students.csv": students_csv(3)})
        world.district(name, schools={"0042": "lincoln"})
    assert world.run("reconcile").code == 0
    (world.root / "districts" / "gone.yaml").unlink()
    for name in ("elm", "ash", "fir", "yew"):
        world.district(name, schools={"0042": "lincoln", "0043": "adams", "0044": "lincoln"})
    world.write("bad", {"district": "worse", "account": 7, "sftp": {"hots": "x", "prot": 22}})
    return world


def rewritten_in_another_order(districts: Path, seed: int) -> None:
    """A folder lists its files as they were made, or as it likes: never in an order to be relied on."""
    texts = {path.name: path.read_bytes() for path in districts.iterdir()}
    names = sorted(texts)
    random.Random(seed).shuffle(names)
    for name in names:
        (districts / name).unlink()
    for name in names:
        (districts / name).write_bytes(texts[name])


@pytest.mark.parametrize("report", REPORTS, ids=" ".join)
def test_neither_hash_seed_nor_zone_nor_locale_nor_the_folders_order_shows(
    fleet: World, report: tuple[str, ...]
) -> None:
    said = set()
    for seed, surroundings in enumerate(SURROUNDINGS):
        rewritten_in_another_order(fleet.root / "districts", seed)
        process = fleet.start(*report, **surroundings)
        out, err = process.communicate(timeout=60)
        said.add((out, err, process.returncode))
    assert len(said) == 1
    assert said.pop()[0]


def test_the_order_in_which_a_folder_is_listed_does_not_show(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = set()
    for seed in range(20):
        monkeypatch.setattr("reconciler.config.find.os.scandir", Shuffled(seed))
        said.add(fleet.run("plan", "--format", "json").out)
    assert len(said) == 1


class Shuffled:
    """`os.scandir` with its entries in another order."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)

    def __call__(self, folder: os.PathLike[str]) -> _Entries:
        with _scandir(folder) as entries:
            shuffled = list(entries)
        self._random.shuffle(shuffled)
        return _Entries(shuffled)


class _Entries:
    """What `os.scandir` returns: entries one by one, until closed."""

    def __init__(self, entries: list[os.DirEntry[str]]):
        self._entries = iter(entries)

    def __iter__(self) -> Iterator[os.DirEntry[str]]:
        return self

    def __next__(self) -> os.DirEntry[str]:
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


_scandir = os.scandir
