"""The laboratory's fixtures: a world for each test, and new databases for each of its rounds."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import World
from tests.databases import database_url, postgres, sqlite_template
from tests.faults.laboratory import Figure
from tests.faults.nursery import Nursery, parent
from tests.faults.states import States

__all__ = ["database_url", "postgres", "sqlite_template"]

SHORT = 2
"""Rounds of each fault in `make test`."""


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often to try, from `--fault-rounds`."""
    return int(request.config.getoption("--fault-rounds") or SHORT)


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty fleet; the test runs once on SQLite and once on PostgreSQL."""
    with World(tmp_path, database_url, monkeypatch) as made:
        made.environment["TMPDIR"] = str(tmp_path / "scratch")
        (tmp_path / "scratch").mkdir()
        yield made


@pytest.fixture(scope="session")
def _parent() -> Iterator[subprocess.Popen[str]]:
    with parent() as started:
        yield started


@pytest.fixture
def nursery(world: World, tmp_path: Path, _parent: subprocess.Popen[str]) -> Nursery:
    """Starts the program in processes of their own, quickly."""
    return Nursery(world, tmp_path / "nursery", _parent)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Says what was measured."""
    return lambda said: record_property("figure", said)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of the tests that ran."""
    for report in terminalreporter.getreports("passed"):
        for name, said in report.user_properties:
            if name == "figure" and report.when == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {said}")


@pytest.fixture
def states(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[States]:
    """Keeps states of the world's database."""
    sqlite = world.database_url.startswith("sqlite")
    made = States(world, tmp_path, None if sqlite else request.getfixturevalue("postgres"))
    yield made
    made.close()
