"""A whole world for each test: a repository, a real SFTP server, a real database, and the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.world import World
from tests.databases import database_url, empty_database_url, postgres, sqlite_template

__all__ = ["database_url", "empty_database_url", "postgres", "sqlite_template", "world"]


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty fleet; the test runs once on SQLite and once on PostgreSQL."""
    with World(tmp_path, database_url, monkeypatch) as made:
        yield made
