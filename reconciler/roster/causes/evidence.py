"""What a cause is looked for in: the rows that broke a limit, their values before and now, and the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from reconciler.mapping.columns import loose
from reconciler.mapping.entities import ENTITIES, Entity
from reconciler.mapping.model import Mapper, Source
from reconciler.mapping.sql import name
from reconciler.roster.database import load_rows, number
from reconciler.roster.delta import SisSchool, Snapshot

MOST = 0.7
"""A cause explains at least this share of the rows: an ordinary day's changes may come on top of it."""

StoredValues = Callable[[str, Sequence[str]], Iterable[tuple[Any, ...]]]
"""Entity and columns to the stored rows: those columns, then `active`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The files and schools around the rows, at the last accepted sync and now."""

    before: Snapshot
    now: Snapshot
    """What would be kept of these files; its digests may be empty."""
    schools: Sequence[SisSchool] = ()
    """The schools of the files now."""


class Evidence:
    """The rows of one entity that broke a limit, and everything that may say why.

    Tables made here, all of them with the entity's stored columns, an empty value being NULL:
    was_<entity> the active rows as stored; lost (removed rows, as stored) and came (added rows, as read);
    lost_students, the removed students whatever the entity; changed, with w_<column> and n_<column>.
    """

    def __init__(
        self,
        db: duckdb.DuckDBPyConnection,
        mapper: Mapper,
        entity: str,
        *,
        removed: bool,
        stored: StoredValues,
        around: Surroundings,
        displays: Mapping[str, str],
        scratch: Path,
    ):
        self.db = db
        self.mapper = mapper
        self.entity = entity
        self.removed = removed
        """Whether the limit is that of removals; else it is that of changes."""
        self.around = around
        self._displays = displays
        for one in dict.fromkeys(("students", entity)):
            _load_values(db, ENTITIES[one], stored, scratch)
        _make_tables(db, ENTITIES[entity])
        self.total = self.count("SELECT count(*) FROM lost" if removed else "SELECT count(*) FROM changed")
        """How many rows there are to explain."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the mapper reads the entity from; relationships come with contacts as well."""
        names = (self.entity, "contacts") if self.entity == "relationships" else (self.entity,)
        return tuple(s for n in names if n in self.mapper.entities for s in self.mapper.entities[n].sources)

    def display(self, file: str) -> str:
        """A file of the mapper under its name on the server."""
        return self._displays.get(file, file)

    def place(self, field: str) -> str:
        """A field with the column of the file that it is read from, as far as that is one: for people."""
        for source in self.sources:
            columns = [c for f in source.fields if f.name == field.removeprefix("sis_") for c in f.columns]
            there = {loose(c): c for c in self.around.now.columns.get(source.file, ())}
            found = next((there[loose(c)] for c in columns if loose(c) in there), "")
            if found:
                return f"{field} (column {found!r} of {self.display(source.file)})"
        return field

    def count(self, query: str) -> int:
        """The one number that a query answers; NULL is 0."""
        return number(self.db, f"SELECT coalesce(({query}), 0)")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.db.execute(query).fetchall()

    def row(self, query: str) -> tuple[Any, ...]:
        """The one row of a query that always has one."""
        return self.rows(query)[0]

    def is_most(self, rows: int) -> bool:
        """Whether so many rows are most of those to explain."""
        return rows > 0 and rows >= MOST * self.total

    def of_total(self, rows: int) -> str:
        """`118 of 120 removed students`."""
        return f"{rows} of {self.total} {'removed' if self.removed else 'changed'} {self.entity}"


def _load_values(db: duckdb.DuckDBPyConnection, entity: Entity, stored: StoredValues, scratch: Path) -> None:
    active = (row[:-1] for row in stored(entity.name, entity.columns) if row[-1])
    load_rows(db, f"stored_{entity.name}", dict.fromkeys(entity.columns, "VARCHAR"), active, scratch)
    kept = ", ".join(f"nullif({name(c)}, '') AS {name(c)}" for c in entity.columns)
    db.execute(f"CREATE VIEW was_{entity.name} AS SELECT {kept} FROM stored_{entity.name}")


def _make_tables(db: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    was, new, keys = f"was_{entity.name}", f"new_{entity.name}", ", ".join(map(name, entity.key))
    db.execute("CREATE VIEW lost_students AS SELECT w.* FROM was_students w JOIN gone_students USING (id)")
    db.execute(f"CREATE VIEW lost AS SELECT w.* FROM {was} w JOIN gone_{entity.name} USING ({keys})")
    fresh = f"(SELECT {keys} FROM fresh_{entity.name} WHERE fate = "
    db.execute(f"CREATE VIEW came AS SELECT n.* FROM {new} n JOIN {fresh} 'added') USING ({keys})")
    pairs = ", ".join(
        f"w.{name(c)} AS {name('w_' + c)}, n.{name(c)} AS {name('n_' + c)}" for c in entity.columns
    )
    same = " AND ".join(f"w.{name(k)} = n.{name(k)}" for k in entity.key)
    changed = " AND ".join(f"f.{name(k)} = n.{name(k)}" for k in entity.key)
    db.execute(
        f"CREATE TABLE changed AS SELECT {pairs} FROM {was} w JOIN {new} n ON {same} "
        f"JOIN fresh_{entity.name} f ON {changed} WHERE f.fate = 'changed'"
    )
