"""The rows and values that were not taken: file, line, column and reason, and of the cells only the key."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from reconciler.mapping.entities import ENTITIES
from reconciler.roster.delta import Reject
from reconciler.roster.tables import LoadedFile

_REASONS = {
    "row.required": "{column} is empty, and it is required",
    "row.conflict": "another row has the same id and another {column}",
    "row.reference": "its {column} is in no row that could be taken",
    "row.joined": "the line that belongs to it in {column} could not be read",
    "row.value": "{column} is not of the type that the mapper says; the row was taken without it",
}


def read_rejects(db: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile], limit: int) -> list[Reject]:
    """Of the lines that could be read: rejected rows, then values, each by entity, file and line."""
    found: list[Reject] = []
    for entity in ENTITIES:
        found += _judged(db, files, entity, limit)
    for entity in ENTITIES:
        found += _values(db, files, entity, limit)
    return found[:limit]


def _judged(
    db: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile], entity: str, limit: int
) -> list[Reject]:
    rows = db.execute(
        f"SELECT DISTINCT _file, _src, _line, col, code, {_key(entity)} FROM judged_{entity} "
        f"WHERE verdict = 'rejected' {_not_twice(entity)} ORDER BY _file, _src, _line, col LIMIT {int(limit)}"
    ).fetchall()
    return [
        Reject(
            entity, _display(files, f, s), line, col or "", code, _REASONS[code].format(column=col), key=key
        )
        for f, s, line, col, code, key in rows
    ]


def _values(
    db: duckdb.DuckDBPyConnection, files: Sequence[LoadedFile], entity: str, limit: int
) -> list[Reject]:
    if entity == "relationships":
        source = "SELECT * FROM judged_relationships WHERE _part >= 1000"
    else:
        source = f"SELECT * FROM judged_{entity}"
    rows = db.execute(
        f"SELECT DISTINCT _file, _src, _line, split_part(problem, ':', 1) AS col, key FROM ("
        f"SELECT _file, _src, _line, unnest(_problems) AS problem, {_key(entity)} AS key FROM ({source}) "
        f"WHERE verdict IN ('ok', 'duplicate')) WHERE suffix(problem, ':type') "
        f"ORDER BY _file, _src, _line, col LIMIT {int(limit)}"
    ).fetchall()
    reason = _REASONS["row.value"]
    return [
        Reject(
            entity, _display(files, f, s), line, col, "row.value", reason.format(column=col), "warning", key
        )
        for f, s, line, col, key in rows
    ]


def _key(entity: str) -> str:
    return "concat_ws(' ', student, contact)" if entity == "relationships" else "coalesce(id, '')"


def _not_twice(entity: str) -> str:
    """A relationship that came with a rejected contact row is the same row of the file: listed once."""
    return "AND given IS DISTINCT FROM 'rejected'" if entity == "relationships" else ""


def _display(files: Sequence[LoadedFile], file: int, src: int) -> str:
    return files[file].parsed[src].display
