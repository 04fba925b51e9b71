"""The generated country and its part of the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import config
from benchmarks.config import measure_country
from benchmarks.country import sizes, write_country
from benchmarks.resident import peak_of_tree
from reconciler.config.fleet import load_fleet
from reconciler.mapping.library import MapperLibrary


def test_the_country_has_its_districts_and_schools() -> None:
    country = sizes(13_000)
    assert (len(country), sum(country)) == (13_000, 99_000)
    assert country[0] > 700
    assert 600 < sum(size >= 22 for size in country) < 900  # one in twenty, and what was filled up


def test_every_district_is_valid_and_the_largest_too(tmp_path: Path) -> None:
    write_country(tmp_path, 40)
    found = load_fleet(tmp_path, mappers=MapperLibrary(tmp_path).names())
    assert (len(found.districts), found.problems) == (40, ())


def test_the_part_measures_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECONCILER_NO_CACHE")
    monkeypatch.setattr(config, "COLD_ROUNDS", 1)
    found = {one.what: one for one in measure_country(tmp_path, 12, 1, with_peers=False)}
    assert len(found) == 9
    assert all(one.value > 0 for one in found.values())


def test_memory_is_that_of_all_processes_together() -> None:
    both = "import os, time; os.fork(); taken = b'x' * 40_000_000; time.sleep(0.5)"
    taken = 2 * 40_000_000 / 1024**2
    assert taken < peak_of_tree([sys.executable, "-c", both], {}) < 2 * taken
