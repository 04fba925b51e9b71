"""A store on each kind of database, and the few values that its tests keep in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.store import Store
from tests.databases import database_url, empty_database_url, postgres, sqlite_template

__all__ = ["database_url", "empty_database_url", "postgres", "sqlite_template"]


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    with Store(database_url) as opened:
        yield opened
