"""From files to raw_<entity>: a district's CSV files loaded, checked as a whole, and mapped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.columns import Table, loose, tellable, wanted_columns
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.model import FileSpec, Mapper, Source
from reconciler.mapping.readable import readable_sources, source_query
from reconciler.mapping.sql import name
from reconciler.roster.packages.base import keep
from reconciler.roster.packages.change import STATUS
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.packages.manifest import COLUMNS, LocalFiles
from reconciler.roster.packages.package import Package, load_packaged
from reconciler.roster.reading.cells import settle_cells
from reconciler.roster.reading.tables import MANIFEST, LoadedFile, load_file, no_file


def load_files(
    db: duckdb.DuckDBPyConnection,
    mapper: Mapper,
    files: LocalFiles,
    scratch: Path,
    package: Package | None,
) -> list[LoadedFile]:
    """Every file of the mapper as a table, f0, f1, … in the mapper's order, under the package's manifest.

    Raises RosterError csv.encoding, csv.header, csv.manifest, sftp.no-files, and csv.truncated for a file
    that ends within a row.
    """
    loaded = []
    for index, (file, spec) in enumerate(mapper.files.items()):
        there = files.get(file, ())
        load = partial(_load, db, mapper, spec, _wanted(mapper, file), scratch)
        if package and file != MANIFEST:
            wanted = _wanted(mapper, file)
            loaded.append(load_packaged(db, spec, f"f{index}", there, wanted, scratch, package, load))
        elif there or spec.optional:
            loaded.append(load(f"f{index}", there))
        else:
            raise no_file(spec, ["manifest.csv"])
    for one in (p for f in loaded for p in f.parsed):
        if one.truncated_at:
            raise RosterError(
                f"{one.display} ends in the middle of line {one.truncated_at}: its upload was cut",
                code="csv.truncated",
                hint="nothing was changed; the next sync takes the file once it is whole",
            )
    return loaded


def _load(
    db: duckdb.DuckDBPyConnection,
    mapper: Mapper,
    spec: FileSpec,
    wanted: set[str],
    scratch: Path,
    sql_name: str,
    files: Sequence[tuple[str, Path]],
) -> LoadedFile:
    """One file as the view `sql_name`, its cells settled."""
    return settle_cells(db, mapper, load_file(db, spec, sql_name, files, wanted, scratch))


def _wanted(mapper: Mapper, file: str) -> set[str]:
    """The columns that are read of a file: those of the mapper, and what makes a delta of it one."""
    if file == MANIFEST:
        return set(COLUMNS)
    key = mapper.files[file].key if MANIFEST in mapper.files else ""
    return wanted_columns(mapper, file) | ({key, STATUS} if key else set())


def keep_files(
    db: duckdb.DuckDBPyConnection,
    mapper: Mapper,
    files: Sequence[LoadedFile],
    known: Collection[str],
    scratch: Path,
) -> list[KeptFile]:
    """The rows of every file that a delta may change one day. `known` are the ids that are stored."""
    if MANIFEST not in mapper.files:
        return []
    kept = (keep(db, f, _wanted(mapper, f.spec.name), known, scratch) for f in files)
    return [k for k in kept if k]


def drop_files(db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile]) -> None:
    """Forget the files' own tables, once they are mapped and noted, unless their rows are to be kept."""
    if MANIFEST in mapper.files:
        return
    names = {f.table.sql_name for f in files}
    for (table,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        if table.split("_")[0] in names:
            db.execute(f"DROP TABLE {table} CASCADE")


def refuse_lost_columns(
    mapper: Mapper, files: Sequence[LoadedFile], known: Mapping[str, Sequence[str]]
) -> None:
    """Raise where a column, or a joined file, is gone that fed a field before: it would empty that field.

    `known` has the columns of each file of the mapper at the last accepted sync.
    """
    for loaded in files:
        had = {loose(c) for c in known.get(loaded.spec.name, ())}
        if had and loaded.table.absent and _is_joined(mapper, loaded.spec.name):
            raise RosterError(
                f"{loaded.spec.pattern} is gone: it was there at the last sync, and fills fields of "
                f"rows from other files",
                code="sftp.no-files",
                hint="ask the district to send it again, or let this through with --allow-removals",
            )
        wanted = {loose(c) for c in wanted_columns(mapper, loaded.spec.name)}
        lost = (had & wanted) - {loose(c) for c in loaded.table.columns}
        if lost and not loaded.table.absent:
            raise MapperError(
                f"{loaded.table.display} no longer has the column {min(lost)!r} of the last sync"
                f"{_new_columns(loaded.table.columns, had)}",
                code="mapper.column",
                hint="ask the district to export it again, correct the mapper, or let this through once "
                "with --allow-removals",
            )


def _new_columns(columns: Sequence[str], had: set[str]) -> str:
    """The columns that came since, as a further clause: one of them may be the lost one under a new name."""
    new = [repr(c) for c in tellable(columns) if loose(c) not in had]
    if not new:
        return ""
    return f"; new there: {', '.join(new[:3])}{', …' if len(new) > 3 else ''}"


def _is_joined(mapper: Mapper, file: str) -> bool:
    return any(j.file == file for e in mapper.entities.values() for s in e.sources for j in s.joins)


def map_entities(db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile]) -> None:
    """raw_<entity> for all five entities, one row for each row read; empty where the mapper says nothing."""
    tables = {f.spec.name: f.table for f in files}
    index = {f.spec.name: i for i, f in enumerate(files)}
    for entity, spec in ENTITIES.items():
        columns = ", ".join(f"{name(f)} VARCHAR" for f in spec.fields)
        db.execute(
            f"CREATE TABLE raw_{entity} (_part INTEGER, _file INTEGER, _src INTEGER, _line BIGINT, "
            f"{columns}, _problems VARCHAR[])"
        )
        for part, source, query in readable_sources(mapper, entity, tables):
            numbered = f"SELECT {part} AS _part, {index[source.file]} AS _file, * FROM ({query})"
            _insert(db, f"INSERT INTO raw_{entity} {numbered}", mapper.place(source.path))


def note_filtered(db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile]) -> None:
    """seen_<entity>(id) of students and contacts: ids that the files name, whatever `where` leaves out.

    A contact of a student who is filtered out points at somebody who is known, not at nobody.
    """
    tables = {f.spec.name: f.table for f in files}
    for entity in ("students", "contacts"):
        db.execute(f"CREATE TABLE seen_{entity} (id VARCHAR)")
        for source in (s for _, s, _ in readable_sources(mapper, entity, tables) if s.where):
            _insert_ids(db, f"seen_{entity}", mapper, source, entity, tables)


def note_deleted(db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile]) -> None:
    """deleted_<entity>(id) of students, contacts and staff: whom a delta deleted. They are known as well."""
    tables = {f.spec.name: f.table for f in files}
    deleted = {
        f.spec.name: {**tables, f.spec.name: replace(f.table, sql_name=f.deleted)} for f in files if f.deleted
    }
    for entity in ("students", "contacts", "staff"):
        db.execute(f"CREATE TABLE deleted_{entity} (id VARCHAR)")
        entity_map = mapper.entities.get(entity)
        for source in (s for s in (entity_map.sources if entity_map else ()) if s.file in deleted):
            _insert_ids(db, f"deleted_{entity}", mapper, source, entity, deleted[source.file])
    for entity in ("students", "contacts"):
        db.execute(f"INSERT INTO seen_{entity} SELECT id FROM deleted_{entity}")


def _insert_ids(
    db: duckdb.DuckDBPyConnection,
    into: str,
    mapper: Mapper,
    source: Source,
    entity: str,
    tables: Mapping[str, Table],
) -> None:
    """The ids that a source names, whatever its conditions say."""
    keys = tuple(f for f in source.fields if f.name == "id")
    open_source = replace(source, where=(), fields=keys, distinct=False)
    query = source_query(mapper, open_source, entity, tables) if keys else None
    if query:
        ids = f"SELECT DISTINCT id FROM ({query}) WHERE id IS NOT NULL"
        _insert(db, f"INSERT INTO {into} {ids}", mapper.place(source.path))


def _insert(db: duckdb.DuckDBPyConnection, query: str, place: str) -> None:
    try:
        db.execute(query)
    except duckdb.InvalidInputException as error:
        raise MapperError(
            f"{place} has a pattern or a date format that cannot be used",
            code="mapper.schema",
            hint="patterns are those of RE2: no look-around, no back-references",
        ) from error
