"""The rows and values that were not taken: file, line, column and reason, and of the cells only the key."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.model import Mapper
from reconciler.mapping.sql import literal_list
from reconciler.roster.delta import Reject
from reconciler.roster.packages.base import earlier
from reconciler.roster.reading.tables import LoadedFile

_REASONS = {
    "row.required": "{column} is empty, and it is required",
    "row.conflict": "another row has the same id and another {column}",
    "row.reference": "its {column} is in no row that could be taken",
    "row.scientific": "{column} was saved by a spreadsheet as a number, as 1.23E+11, and is no id any more; "
    "export it as text",
    "row.id": "{column} holds invisible or control characters, or more than 256 of any: that is no id",
    "row.joined": "the line that belongs to it in {column} could not be read",
}
_VALUE_REASONS = {
    "type": "{column} is not of the type that the mapper says; the row was taken without it",
    "day": "{column} is after today or more than 120 years ago; the row was taken without it",
}


_OF_RELATIONSHIPS = 1000
"""Sources of relationships are numbered from here on; below are those of contacts that bring theirs."""


def read_rejects(
    db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile], limit: int
) -> list[Reject]:
    """Of the lines that could be read: rejected rows, then values, each by entity, file and line."""
    found: list[Reject] = []
    for read in (_judged, _values):
        for entity in ENTITIES:
            found += read(db, _Places(db, mapper, files, entity), entity, limit)
    return found[:limit]


class _Places:
    """Where the rows of an entity stand: names of files and columns as the district knows them."""

    def __init__(
        self, db: duckdb.DuckDBPyConnection, mapper: Mapper, files: Sequence[LoadedFile], entity: str
    ):
        self._db = db
        self._mapper = mapper
        self._files = files
        self._entity = entity
        self._origins: dict[int, dict[int, tuple[int, int]]] = {}

    def row(self, file: int, src: int, line: int) -> tuple[str, int]:
        """The name of the file, and the line in it; 0 for a row of an earlier package."""
        loaded = self._files[file]
        if loaded.origin:
            if file not in self._origins:
                found = self._db.execute(f"SELECT line, src, own FROM {loaded.origin}").fetchall()
                self._origins[file] = {n: (s, own) for n, s, own in found}
            if line not in self._origins[file]:
                return earlier(loaded.table.display), 0
            src, line = self._origins[file][line]
        return loaded.parsed[src].display, line

    def column(self, part: int, file: int, field: str | None) -> str:
        """The column of the file that a field is read from; the field's own name where there is none."""
        entity = self._entity
        if entity == "relationships" and part < _OF_RELATIONSHIPS:
            entity = "contacts"
        wanted = "school" if field == "sis_school" else field or ""
        source = self._mapper.entities[entity].sources[part % _OF_RELATIONSHIPS]
        columns = next((f.columns for f in source.fields if f.name == wanted), ())
        table = self._files[file].table
        header = self._files[file].header
        there = [header[p] for p in (table.find(c) for c in columns) if p is not None]
        return (there or [*columns, wanted])[0]


def _judged(db: duckdb.DuckDBPyConnection, places: _Places, entity: str, limit: int) -> list[Reject]:
    rows = db.execute(
        f"SELECT DISTINCT _file, _src, _line, _part, col, code, {_key(entity)} FROM judged_{entity} "
        f"WHERE verdict = 'rejected' {_not_twice(entity)} "
        f"ORDER BY _file, _src, _line, _part, col LIMIT {int(limit)}"
    ).fetchall()
    return [
        Reject(
            entity, *places.row(f, s, line), places.column(part, f, col), code,
            _REASONS[code].format(column=col), key=key,
        )
        for f, s, line, part, col, code, key in rows
    ]  # fmt: skip


def _values(db: duckdb.DuckDBPyConnection, places: _Places, entity: str, limit: int) -> list[Reject]:
    source = f"SELECT * FROM judged_{entity}"
    if entity == "relationships":
        source += f" WHERE _part >= {_OF_RELATIONSHIPS}"
    rows = db.execute(
        f"SELECT DISTINCT _file, _src, _line, _part, split_part(problem, ':', 1) AS col, "
        f"string_split(problem, ':')[-1] AS kind, key FROM ("
        f"SELECT _file, _src, _line, _part, unnest(_problems) AS problem, {_key(entity)} AS key "
        f"FROM ({source}) WHERE verdict IN ('ok', 'duplicate')) "
        f"WHERE kind IN {literal_list(tuple(_VALUE_REASONS))} "
        f"ORDER BY _file, _src, _line, _part, col LIMIT {int(limit)}"
    ).fetchall()
    return [
        Reject(
            entity, *places.row(f, s, line), places.column(part, f, col), "row.value",
            _VALUE_REASONS[kind].format(column=col), "warning", key,
        )
        for f, s, line, part, col, kind, key in rows
    ]  # fmt: skip


def _key(entity: str) -> str:
    return "concat_ws(' ', student, contact)" if entity == "relationships" else "coalesce(id, '')"


def _not_twice(entity: str) -> str:
    """A relationship that came with a rejected contact row is the same row of the file: listed once."""
    return "AND given IS DISTINCT FROM 'rejected'" if entity == "relationships" else ""
