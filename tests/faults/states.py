"""States of a database to go back to, again and again."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from sqlalchemy import make_url

from tests.acceptance.world import World
from tests.databases import Postgres


class States:
    """Keeps copies of the world's database, and gives the world copies of these."""

    def __init__(self, world: World, folder: Path, postgres: Postgres | None):
        self._world = world
        self._folder = folder
        self._postgres = postgres
        self._made: list[str] = []
        self._current = ""

    def keep(self) -> str:
        """The state of the world's database now; nobody may have it open."""
        return self._copied(self._world.database_url)

    def restore(self, state: str) -> None:
        """Give the world a new database in that state. The one before it is gone."""
        if self._current:
            self._drop(self._current)
        self._current = self._copied(state)
        self._world.database_url = self._current
        self._world.environment["RECONCILER_DATABASE_URL"] = self._current

    def close(self) -> None:
        for url in list(self._made):
            self._drop(url)

    def _copied(self, url: str) -> str:
        name = f"reconciler_{uuid.uuid4().hex}"
        if self._postgres is None:
            path = self._folder / f"{name}.db"
            shutil.copyfile(url.removeprefix("sqlite:///"), path)
            made = f"sqlite:///{path}"
        else:
            source = _database_of(url)
            self._postgres.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
            made = self._postgres.url_of(name)
        self._made.append(made)
        return made

    def _drop(self, url: str) -> None:
        self._made.remove(url)
        if self._postgres is None:
            for path in self._folder.glob(Path(url.removeprefix("sqlite:///")).name + "*"):
                path.unlink()
        else:
            self._postgres.execute(f"DROP DATABASE {_database_of(url)} WITH (FORCE)")


def _database_of(url: str) -> str:
    return str(make_url(url).database)
