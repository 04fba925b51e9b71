"""From files to raw_<entity>: a district's CSV files loaded, checked as a whole, and mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.columns import loose, wanted_columns
from reconciler.mapping.compile import compile_source
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.model import Mapper, Source
from reconciler.mapping.sql import name
from reconciler.roster.tables import LoadedFile, load_file

MANIFEST = "manifest"
"""The mapper's name for OneRoster's manifest.csv, which says of each file whether it is bulk or delta."""
_PROPERTY, _VALUE = "propertyName", "value"


def load_files(
    db: duckdb.DuckDBPyConnection,
    mapper: Mapper,
    files: Mapping[str, Sequence[tuple[str, Path]]],
    scratch: Path,
) -> list[LoadedFile]:
    """Every file of the mapper as a table, f0, f1, … in the mapper's order.

    Raises RosterError csv.encoding, csv.header, and csv.truncated for a file that ends within a row.
    """
    loaded = [
        load_file(db, spec, f"f{index}", files.get(file, ()), _wanted(mapper, file), scratch)
        for index, (file, spec) in enumerate(mapper.files.items())
    ]
    _refuse_partial(db, loaded)
    for one in (p for f in loaded for p in f.parsed):
        if one.truncated_at:
            raise RosterError(
                f"{one.display} ends in the middle of line {one.truncated_at}: its upload was cut",
                code="csv.truncated",
                hint="nothing was changed; the next sync takes the file once it is whole",
            )
    return loaded


def _wanted(mapper: Mapper, file: str) -> set[str]:
    return {_PROPERTY, _VALUE} if file == MANIFEST else wanted_columns(mapper, file)


def _refuse_partial(db: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile]) -> None:
    """Raise where the manifest says that a file is not the whole truth: read as such, it removes people."""
    manifest = next((f.table for f in files if f.spec.name == MANIFEST and not f.table.absent), None)
    places = (manifest.find(_PROPERTY), manifest.find(_VALUE)) if manifest else (None, None)
    if manifest is None or None in places:
        return
    rows = db.execute(f"SELECT lower(c{places[0]}), lower(c{places[1]}) FROM {manifest.sql_name}").fetchall()
    modes = {str(name).removeprefix("file."): value for name, value in rows}
    for one in (p for f in files for p in f.parsed):
        mode = modes.get(Path(one.display).stem.lower())
        if mode in ("delta", "absent"):
            raise RosterError(
                f"manifest.csv says that {one.display} is {mode}, so it is not the whole of its rows",
                code="csv.manifest",
                hint="ask the district for bulk files: deltas are not read yet, and nothing was changed",
            )


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
    new = [repr(c) for c in columns if loose(c) not in had]
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
        entity_map = mapper.entities.get(entity)
        for part, source in enumerate(entity_map.sources if entity_map else ()):
            query = compile_source(source, entity, tables)
            if query:
                numbered = f"SELECT {part} AS _part, {index[source.file]} AS _file, * FROM ({query})"
                _insert(db, f"INSERT INTO raw_{entity} {numbered}", source)


def note_filtered(db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile]) -> None:
    """seen_<entity>(id) of students and contacts: ids that the files name, whatever `where` leaves out.

    A contact of a student who is filtered out points at somebody who is known, not at nobody.
    """
    tables = {f.spec.name: f.table for f in files}
    for entity in ("students", "contacts"):
        db.execute(f"CREATE TABLE seen_{entity} (id VARCHAR)")
        entity_map = mapper.entities.get(entity)
        for source in (s for s in (entity_map.sources if entity_map else ()) if s.where):
            keys = tuple(f for f in source.fields if f.name == "id")
            open_source = replace(source, where=(), fields=keys, distinct=False)
            query = compile_source(open_source, entity, tables) if keys else None
            if query:
                _insert(
                    db,
                    f"INSERT INTO seen_{entity} SELECT DISTINCT id FROM ({query}) WHERE id IS NOT NULL",
                    source,
                )


def _insert(db: duckdb.DuckDBPyConnection, query: str, source: Source) -> None:
    try:
        db.execute(query)
    except duckdb.InvalidInputException as error:
        raise MapperError(
            f"{source.path} has a pattern or a date format that cannot be used",
            code="mapper.schema",
            hint="patterns are those of RE2: no look-around, no back-references",
        ) from error
