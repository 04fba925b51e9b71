"""A district's roster, read and mapped: the one class that the engine and `map` use.

with Roster(mapper, files, scratch) as roster:
    roster.schools()                      the schools that the files name
    roster.resolve(mapping, stored, …)    every row judged, compared with what is stored
    roster.deltas(), roster.rejects()     what to write, and what was not taken
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from reconciler.mapping.compile import LIST_SEPARATOR
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.model import Mapper
from reconciler.mapping.sql import literal
from reconciler.planning.contact_safety import ContactChanges
from reconciler.roster import loading
from reconciler.roster.causes import Cause, Evidence, Surroundings, likely_cause, shape
from reconciler.roster.causes.evidence import StoredValues
from reconciler.roster.causes.shape import Shape
from reconciler.roster.database import number, open_database, stream, told
from reconciler.roster.delta import EntityDelta, Reject, RowCounts, SisSchool
from reconciler.roster.effect import Effect, change_digest, delta_digest, effect
from reconciler.roster.judging import compare, contact_changes, keeping
from reconciler.roster.judging.broken import BrokenLines
from reconciler.roster.judging.rejects import read_rejects
from reconciler.roster.judging.resolving import Before, resolve
from reconciler.roster.judging.taken import taken_rows
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.packages.package import Package
from reconciler.roster.reading.cells import lacks_rows
from reconciler.roster.reading.drift import drift_notices

_STORED_WORDS = (
    "SELECT DISTINCT word FROM words WHERE word IN (SELECT id FROM old_students "
    "UNION ALL SELECT id FROM old_contacts UNION ALL SELECT id FROM old_staff)"
)
"""What stands in lines that could not be read and is the id of somebody who is stored."""


class Roster:
    """The files of one district under one mapper. Not for several threads at once."""

    def __init__(
        self,
        mapper: Mapper,
        files: Mapping[str, Sequence[tuple[str, Path]]],
        scratch: Path,
        *,
        known_columns: Mapping[str, Sequence[str]] | None = None,
        today: date | None = None,
        package: Package | None = None,
    ):
        """Read the files: for each file of the mapper, pairs of (name on the server, local path).

        `known_columns` says which columns the files had at the last accepted sync; `package` what the
        manifest among them says, and what is known of earlier packages. After `today` nobody was born.
        Raises RosterError and MapperError for files that cannot be taken as a whole.
        """
        self.mapper = mapper
        self._scratch = scratch
        self._db = open_database(scratch)
        if today:
            self._db.execute(f"SET VARIABLE today = {literal(today.isoformat())}")
        try:
            with told("while the files were read"):
                self._files = loading.load_files(self._db, mapper, files, scratch, package)
                loading.refuse_lost_columns(mapper, self._files, known_columns or {})
                loading.map_entities(self._db, mapper, self._files)
                loading.note_filtered(self._db, mapper, self._files)
                loading.note_deleted(self._db, mapper, self._files)
                self._drift = drift_notices(self._db, mapper, self._files)
                loading.drop_files(self._db, mapper, self._files)
        except BaseException:
            self._db.close()
            raise
        self._broken = BrokenLines(mapper, self._files)
        self._counts: dict[str, RowCounts] = {}
        self._schools: list[SisSchool] | None = None

    def __enter__(self) -> Roster:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and the spilled files."""
        self._db.close()

    # -- what the files say -------------------------------------------------------------------------------

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each file that is there, by its name in the mapper."""
        return {f.spec.name: f.table.columns for f in self._files if not f.table.absent}

    @property
    def notices(self) -> tuple[str, ...]:
        """What was detected rather than declared, and what is not as its standard has it, in words."""
        return tuple(n for f in self._files for n in f.notices) + self._drift

    def schools(self) -> list[SisSchool]:
        """Every school that the files name, by its own row or a student's, with the students found there."""
        if self._schools is None:
            self._schools = self._find_schools()
        return self._schools

    def _find_schools(self) -> list[SisSchool]:
        items = f"string_split(school, {LIST_SEPARATOR})"
        found = self._db.execute(
            f"SELECT id, max(name), max(type), max(nces_id), max(students) FROM ("
            f"SELECT id, name, type, nces_id, 0 AS students FROM raw_schools WHERE id IS NOT NULL "
            f"UNION ALL SELECT school, NULL, NULL, NULL, count(DISTINCT id) FROM ("
            f"SELECT id, unnest({items}) AS school, generate_subscripts({items}, 1) AS pos "
            f"FROM raw_students WHERE school IS NOT NULL) "
            f"WHERE pos = 1 OR school IN (SELECT id FROM raw_schools) GROUP BY school) "
            f"GROUP BY id ORDER BY id"
        ).fetchall()
        return [SisSchool(i, n or "", t or "", c or "", s) for i, n, t, c, s in found]

    def unlisted_schools(self) -> dict[str, int]:
        """Schools that students name and no row of a school has, with those students; none without a list.

        Of a student's several schools one that is listed is enough: the others may be no schools.
        """
        items = f"string_split(school, {LIST_SEPARATOR})"
        found = self._db.execute(
            f"SELECT {items}[1] AS first, sum(n) FROM (SELECT school, count(DISTINCT id) AS n "
            f"FROM raw_students WHERE school IS NOT NULL GROUP BY school) "
            f"WHERE EXISTS (SELECT 1 FROM raw_schools) "
            f"AND NOT list_has_any({items}, (SELECT list(id) FROM raw_schools)) GROUP BY first ORDER BY first"
        ).fetchall()
        return {school: int(students) for school, students in found}

    def empty_files(self, entity: str) -> list[str]:
        """The files that an entity is read from and that have a header and no row."""
        entity_map = self.mapper.entities.get(entity)
        return self._empty({s.file for s in (entity_map.sources if entity_map else ())})

    def empty_joined_files(self) -> list[str]:
        """The files that fill fields of other files' rows and that have a header and no row."""
        sources = [s for e in self.mapper.entities.values() for s in e.sources]
        return self._empty({j.file for s in sources for j in s.joins})

    def _empty(self, names: set[str]) -> list[str]:
        return [
            f.table.display
            for f in self._files
            if f.spec.name in names and f.parsed and not f.rows and not any(p.broken for p in f.parsed)
        ]

    def final_newlines(self) -> dict[str, bool]:
        """Whether each physical file ends with a line break."""
        today = (p for f in self._files for p in (f.parsed[: f.changes] if f.origin else f.parsed))
        return {p.display: p.ends_with_newline for p in today}

    @property
    def delta_files(self) -> frozenset[str]:
        """The names of the physical files that carry changes only."""
        return frozenset(p.display for f in self._files for p in f.parsed[: f.changes])

    def kept_files(self) -> list[KeptFile]:
        """The source rows that the next package may change, once all is resolved."""
        with told("while the rows were kept for the next package"):
            known = {word for (word,) in self._db.execute(_STORED_WORDS).fetchall()}
            return loading.keep_files(self._db, self.mapper, self._files, known, self._scratch)

    def trailers(self) -> tuple[str, ...]:
        """The physical files whose last line says that they end, and counts no more rows than there are."""
        return tuple(p.display for f in self._files for p in f.parsed if p.trailer and not lacks_rows(p))

    def broken_share(self) -> list[tuple[str, int, int]]:
        """(file, rows that could not be read, rows) for each file with such rows."""
        return self._broken.shares()

    def broken_of(self, entity: str) -> int:
        """Rows that could not be read and are counted among this entity's rejected."""
        return self._broken.counts().get(entity, 0)

    def broken_rejects(self) -> list[Reject]:
        """The rows that could not be read, before anything was resolved."""
        return self._broken.rejects(10_000)

    # -- judging and comparing ----------------------------------------------------------------------------

    def resolve(
        self,
        mapping: Mapping[str, str] | None,
        *,
        stored: compare.StoredRows = lambda _: (),
        known_schools: Iterable[SisSchool] = (),
        known_files: Iterable[str] = (),
    ) -> dict[str, RowCounts]:
        """Judge every row and compare it with what is stored; returns the counts of each entity. Once only.

        `mapping` has the platform's school for each mapped SIS school; None: every school counts as mapped,
        to itself. `known_files` are the mapper's files that were there at an earlier sync: one that is
        not there today says nothing, and removes nobody. Raises RosterError csv.accounting, csv.memory.
        """
        before = Before(stored, known_schools, frozenset(known_files))
        with told("while the rows were compared"):
            self._counts = resolve(self._db, self.mapper, self._files, mapping, before, self._scratch)
        return self._counts

    def deltas(self) -> list[EntityDelta]:
        """What has to change in the store, in the order in which it must be written."""
        return [compare.delta(self._db, entity, self._counts[entity], self._scratch) for entity in STORED]

    def rejects(self, limit: int = 10_000) -> list[Reject]:
        """The rows, and the values, that were not taken, unreadable lines first; at most `limit`."""
        return (self._broken.rejects(limit) + read_rejects(self._db, self.mapper, self._files, limit))[:limit]

    def blocked(self) -> dict[str, str]:
        """Entities of which nobody is removed in this sync, and why."""
        return keeping.blocked(self._db)

    def active(self) -> dict[str, int]:
        """How many rows of each stored entity were active before."""
        return {e: number(self._db, f"SELECT count(*) FROM old_{e} WHERE active") for e in STORED}

    def shape(self) -> Shape:
        """What a later sync is held against to name a cause; after `resolve`."""
        return Shape(shape.formats(self._files), shape.row_counts(self._files), shape.order(self._db))

    def effect(self, stored: contact_changes.StoredValues) -> Effect:
        """What these rows would come to, by school and by column. Once only, after `resolve`."""
        with told("while the effect was counted"):
            return effect(self._db, self._counts, stored, self._scratch)

    def delta_digest(self) -> str:
        """A digest of all that would be written; after `resolve`."""
        with told("while the rows were summed up"):
            return delta_digest(self._db, self._counts)

    def change_digest(self) -> str:
        """A digest of the rows that would be added, changed or removed, of nothing else; after `resolve`."""
        with told("while the changed rows were summed up"):
            return change_digest(self._db)

    def contact_changes(
        self, stored: contact_changes.StoredValues, max_students_per_phone: int
    ) -> ContactChanges:
        """What these rows would do to contacts and their rights, in counts. Once only, after `resolve`."""
        with told("while the contacts were compared"):
            return contact_changes.contact_changes(self._db, stored, max_students_per_phone, self._scratch)

    def likely_cause(
        self, entity: str, *, removed: bool, stored: StoredValues, around: Surroundings
    ) -> Cause:
        """Why so many rows of an entity were removed, or else changed. Once only, after `resolve`."""
        displays = {f.spec.name: f.table.display for f in self._files}
        with told("while a cause was looked for"):
            evidence = Evidence(
                self._db, self.mapper, entity, removed=removed, stored=stored, around=around,
                displays=displays, scratch=self._scratch,
            )  # fmt: skip
            return likely_cause(evidence)

    def rows(self, entity: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The taken rows of an entity under its fields' names, `school` being the SIS id, ordered by key."""
        query = taken_rows(entity) + (f" LIMIT {int(limit)}" if limit is not None else "")
        for row in stream(self._db, [query], self._scratch):
            yield dict(zip(ENTITIES[entity].fields, row, strict=True))
