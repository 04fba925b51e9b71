"""A district's roster, read and mapped: the one class that the engine and `map` use.

with Roster(mapper, files, scratch) as roster:
    roster.schools()                      the schools that the files name
    roster.resolve(mapping, stored, …)    every row judged, compared with what is stored
    roster.deltas(), roster.rejects()     what to write, and what was not taken
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.compile import compile_source
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.model import Mapper, Source
from reconciler.mapping.sql import name
from reconciler.roster import compare, keeping, rows
from reconciler.roster.delta import EntityDelta, Reject, RowCounts, SisSchool
from reconciler.roster.rejects import BROKEN_ROW_OWNERS, broken_rejects, read_rejects
from reconciler.roster.tables import LoadedFile, load_file, wanted_columns

MEMORY_LIMIT = "400MB"


class Roster:
    """The files of one district under one mapper. Not for several threads at once."""

    def __init__(
        self,
        mapper: Mapper,
        files: Mapping[str, Sequence[tuple[str, Path]]],
        scratch: Path,
        *,
        known_columns: Mapping[str, Sequence[str]] | None = None,
    ):
        """Read the files: for each file of the mapper, pairs of (name on the server, local path).

        `known_columns` says which columns the files had at the last accepted sync. Raises RosterError and
        MapperError for files that cannot be taken as a whole.
        """
        self.mapper = mapper
        self._scratch = scratch
        self._db = duckdb.connect(":memory:", config={"memory_limit": MEMORY_LIMIT, "threads": 2})
        self._db.execute(f"SET temp_directory = '{scratch / 'spill'}'")
        try:
            self._load(files)
            self._refuse_lost_columns(known_columns or {})
            self._map()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Roster:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and the spilled files."""
        self._db.close()

    # -- reading ------------------------------------------------------------------------------------------

    def _load(self, files: Mapping[str, Sequence[tuple[str, Path]]]) -> None:
        self._files: list[LoadedFile] = []
        for index, (file, spec) in enumerate(self.mapper.files.items()):
            loaded = load_file(
                self._db,
                spec,
                f"f{index}",
                files.get(file, ()),
                wanted_columns(self.mapper, file),
                self._scratch,
            )
            self._files.append(loaded)
        self._tables = {f.spec.name: f.table for f in self._files}
        self._index = {f.spec.name: i for i, f in enumerate(self._files)}
        for one in (p for f in self._files for p in f.parsed):
            if one.truncated_at:
                raise RosterError(
                    f"{one.display} ends in the middle of line {one.truncated_at}: its upload was cut",
                    code="csv.truncated",
                    hint="nothing was changed; the next sync takes the file once it is whole",
                )

    def _refuse_lost_columns(self, known: Mapping[str, Sequence[str]]) -> None:
        """A column that fed a field before and is gone would empty that field in every row."""
        for loaded in self._files:
            had = {c.casefold() for c in known.get(loaded.spec.name, ())}
            if loaded.table.absent:
                if had and self._is_joined(loaded.spec.name):
                    raise RosterError(
                        f"{loaded.spec.pattern} is gone: it was there at the last sync, and fills fields of "
                        f"rows from other files",
                        code="sftp.no-files",
                        hint="ask the district to send it again, or let this through with --allow-removals",
                    )
                continue
            wanted = {c.casefold() for c in wanted_columns(self.mapper, loaded.spec.name)}
            lost = (had & wanted) - {c.casefold() for c in loaded.table.columns}
            if lost:
                raise MapperError(
                    f"{loaded.table.display} no longer has the column {min(lost)!r} of the last sync",
                    code="mapper.column",
                    hint="ask the district to export it again, correct the mapper, or let this through once "
                    "with --allow-removals",
                )

    def _is_joined(self, file: str) -> bool:
        return any(j.file == file for e in self.mapper.entities.values() for s in e.sources for j in s.joins)

    def _map(self) -> None:
        """raw_<entity> for all five entities; empty where the mapper says nothing."""
        for entity, spec in ENTITIES.items():
            queries = []
            entity_map = self.mapper.entities.get(entity)
            for part, source in enumerate(entity_map.sources if entity_map else ()):
                query = compile_source(source, entity, self._tables)
                if query:
                    file = self._index[source.file]
                    queries.append(f"SELECT {part} AS _part, {file} AS _file, * FROM ({query})")
            columns = ", ".join(f"{name(f)} VARCHAR" for f in spec.fields)
            self._db.execute(
                f"CREATE TABLE raw_{entity} (_part INTEGER, _file INTEGER, _src INTEGER, _line BIGINT, "
                f"{columns}, _problems VARCHAR[])"
            )
            for query in queries:
                self._db.execute(f"INSERT INTO raw_{entity} {query}")

    # -- what the files say -------------------------------------------------------------------------------

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each file that is there, by its name in the mapper."""
        return {f.spec.name: f.table.columns for f in self._files if not f.table.absent}

    @property
    def notices(self) -> tuple[str, ...]:
        """What was detected rather than declared, in words."""
        return tuple(n for f in self._files for n in f.notices)

    def schools(self) -> list[SisSchool]:
        """Every school that the files name, by its own row or a student's, with the students found there."""
        found = self._db.execute(
            "SELECT id, max(name), max(type), max(nces_id), max(students) FROM ("
            "SELECT id, name, type, nces_id, 0 AS students FROM raw_schools WHERE id IS NOT NULL UNION ALL "
            "SELECT school, NULL, NULL, NULL, count(DISTINCT id) FROM raw_students "
            "WHERE school IS NOT NULL GROUP BY school) GROUP BY id ORDER BY id"
        ).fetchall()
        return [SisSchool(i, n or "", t or "", c or "", s) for i, n, t, c, s in found]

    # -- judging and comparing ----------------------------------------------------------------------------

    def resolve(
        self,
        mapping: Mapping[str, str] | None,
        *,
        stored: compare.StoredRows = lambda _: (),
        known_schools: Iterable[SisSchool] = (),
        known_files: Iterable[str] = (),
    ) -> dict[str, RowCounts]:
        """Judge every row and compare it with what is stored; returns the counts of each entity.

        `mapping` has the platform's school for each mapped SIS school; None: every school counts as mapped,
        to itself. `known_files` are the mapper's files that were there at an earlier sync: one that is
        not there today says nothing, and removes nobody.
        """
        db = self._db
        self._load_mapping(mapping)
        compare.load_stored(db, stored, self._scratch)
        keeping.create_keeping_tables(db, self._broken_words(), self._silent(set(known_files)), self._scratch)
        rows.judge_schools(db)
        rows.fold(db, "schools", prefer_first=self._prefers_first("schools"))
        for entity in ("students", "staff"):
            rows.judge_by_school(db, entity)
            rows.fold(db, entity, prefer_first=self._prefers_first(entity))
            keeping.keep_by_key(db, entity)
        keeping.student_states(db)
        rows.judge_contacts(db)
        rows.fold(db, "contacts", prefer_first=self._prefers_first("contacts"))
        keeping.keep_contacts(db)
        rows.judge_relationships(db)
        rows.fold(db, "relationships", prefer_first=self._prefers_first("relationships"))
        keeping.keep_relationships(db)
        compare.compare(db)
        self._compare_schools(known_schools)
        broken = self._broken_counts()
        self._counts = {e: compare.counts(db, e, broken.get(e, 0)) for e in ENTITIES}
        return self._counts

    def deltas(self) -> list[EntityDelta]:
        """What has to change in the store, in the order in which it must be written."""
        return [compare.delta(self._db, entity, self._counts[entity]) for entity in STORED]

    def rejects(self, limit: int = 10_000) -> list[Reject]:
        """The rows, and the values, that were not taken; at most `limit`."""
        return read_rejects(self._db, self._files, self._broken_owner(), limit)

    def blocked(self) -> dict[str, str]:
        """Entities of which nobody is removed in this sync, and why."""
        return keeping.blocked(self._db)

    def broken_share(self) -> list[tuple[str, int, int]]:
        """(file, rows that could not be read, rows) for each file with such rows."""
        return [
            (p.display, len(p.broken), p.rows + len(p.broken))
            for f in self._files
            for p in f.parsed
            if p.broken
        ]

    def broken_of(self, entity: str) -> int:
        """Rows that could not be read and are counted among this entity's rejected."""
        return self._broken_counts().get(entity, 0)

    def broken_rejects(self) -> list[Reject]:
        """The rows that could not be read, before anything was resolved."""
        return broken_rejects(self._files, self._broken_owner(), 10_000)

    def active(self) -> dict[str, int]:
        """How many rows of each stored entity were active before."""
        return {e: compare.number(self._db, f"SELECT count(*) FROM old_{e} WHERE active") for e in STORED}

    def removed_but_for_zeros(self, entity: str) -> int:
        """Removed ids that are there as new ones, leading zeros apart."""
        query = (
            f"SELECT count(*) FROM gone_{entity} WHERE ltrim(id, '0') IN "
            f"(SELECT ltrim(id, '0') FROM fresh_{entity} WHERE fate = 'added')"
        )
        return compare.number(self._db, query)

    def empty_files(self, entity: str) -> list[str]:
        """The files that an entity is read from and that have a header and no row."""
        entity_map = self.mapper.entities.get(entity)
        sources = entity_map.sources if entity_map else ()
        names = {s.file for s in sources}
        return [
            f.table.display
            for f in self._files
            if f.spec.name in names and f.parsed and not f.rows and not any(p.broken for p in f.parsed)
        ]

    def final_newlines(self) -> dict[str, bool]:
        """Whether each physical file ends with a line break."""
        return {p.display: p.ends_with_newline for f in self._files for p in f.parsed}

    def rows(self, entity: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The taken rows of an entity under its fields' names, `school` being the SIS id, ordered by key."""
        query = _folded_rows(entity) + (f" LIMIT {int(limit)}" if limit is not None else "")
        fields = ENTITIES[entity].fields
        for row in compare.stream(self._db, query):
            yield dict(zip(fields, row, strict=True))

    # -- helpers ------------------------------------------------------------------------------------------

    def _prefers_first(self, entity: str) -> bool:
        entity_map = self.mapper.entities.get(entity)
        return bool(entity_map and entity_map.prefer == "first")

    def _load_mapping(self, mapping: Mapping[str, str] | None) -> None:
        self._db.execute("CREATE TABLE mapping (sis_id VARCHAR, school VARCHAR)")
        if mapping is None:
            self._db.execute(
                "INSERT INTO mapping SELECT school, school FROM (SELECT school FROM raw_students UNION "
                "SELECT school FROM raw_staff) WHERE school IS NOT NULL"
            )
        elif mapping:
            self._db.executemany("INSERT INTO mapping VALUES (?, ?)", list(mapping.items()))

    def _compare_schools(self, known: Iterable[SisSchool]) -> None:
        self._db.execute("CREATE TABLE old_schools (id VARCHAR, name VARCHAR, type VARCHAR, nces_id VARCHAR)")
        values = [(s.sis_id, s.name, s.type, s.nces_id) for s in known]
        if values:
            self._db.executemany("INSERT INTO old_schools VALUES (?, ?, ?, ?)", values)
        self._db.execute(
            "CREATE TABLE fresh_schools AS SELECT n.id, CASE WHEN o.id IS NULL THEN 'added' WHEN "
            "concat_ws(chr(31), coalesce(n.name, ''), coalesce(n.type, ''), coalesce(n.nces_id, '')) = "
            "concat_ws(chr(31), o.name, o.type, o.nces_id) THEN 'unchanged' ELSE 'changed' END AS fate "
            "FROM new_schools n LEFT JOIN old_schools o ON o.id = n.id"
        )

    def _silent(self, known_files: set[str]) -> list[str]:
        """Entities with a file that was there before and is not there today."""
        gone = {f.spec.name for f in self._files if f.table.absent and f.spec.name in known_files}
        silent = {e for e, m in self.mapper.entities.items() if any(s.file in gone for s in m.sources)}
        return sorted(silent | ({"relationships"} if "contacts" in silent else set()))

    def _broken_owner(self) -> dict[int, str]:
        """For each file, the one entity among whose rows its broken lines are counted."""
        owners = {}
        for index, loaded in enumerate(self._files):
            readers = {e for e, _ in self._readers(loaded.spec.name)}
            owner = next((e for e in BROKEN_ROW_OWNERS if e in readers), None)
            if owner:
                owners[index] = owner
        return owners

    def _broken_counts(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for index, owner in self._broken_owner().items():
            totals[owner] = totals.get(owner, 0) + sum(len(p.broken) for p in self._files[index].parsed)
        return totals

    def _broken_words(self) -> Iterator[keeping.BrokenWord]:
        number = 0
        for loaded in self._files:
            readers = [(e, self._key_positions(e, s)) for e, s in self._readers(loaded.spec.name)]
            for broken in (b for p in loaded.parsed for b in p.broken):
                number += 1
                for entity, positions in readers:
                    keyed = any(p < len(broken.cells) - 1 and broken.cells[p] for p in positions)
                    for word in {*broken.cells} - {""} or {"\ufffd"}:
                        yield keeping.BrokenWord(entity, number, word, keyed)

    def _readers(self, file: str) -> list[tuple[str, Source]]:
        return [
            (e, next(s for s in m.sources if s.file == file))
            for e, m in self.mapper.entities.items()
            if any(s.file == file for s in m.sources)
        ]

    def _key_positions(self, entity: str, source: Source) -> list[int]:
        wanted = {"contacts": ("id", "student"), "relationships": ("student",)}.get(entity, ("id",))
        table = self._tables[source.file]
        columns = [c for f in source.fields if f.name in wanted for c in f.columns]
        return [p for p in (table.find(c) for c in columns) if p is not None]


def _folded_rows(entity: str) -> str:
    """The query of `map`: an entity's taken rows with every field that a mapper may fill."""
    spec = ENTITIES[entity]
    if entity == "contacts":
        chosen = ", ".join(
            f"max(j.{name(f)}) AS {name(f)}" for f in spec.fields if f not in ("id", "student")
        )
        inner = (
            f"SELECT j.id, j.student, {chosen} FROM judged_contacts j JOIN new_contacts n ON n.id = j.id "
            f"WHERE j.verdict = 'ok' GROUP BY j.id, j.student"
        )
    elif entity in ("students", "staff"):
        inner = f"SELECT * REPLACE (sis_school AS school) FROM new_{entity}"
    else:
        inner = f"SELECT * FROM new_{entity}"
    fields = ", ".join(name(f) for f in spec.fields)
    order = "id, student" if entity == "contacts" else ", ".join(name(k) for k in spec.key)
    return f"SELECT {fields} FROM ({inner}) ORDER BY {order}"
