"""Rows with one key become one row of new_<entity> where they agree; where not, all are rejected.

An empty cell agrees with everything, and so does a right that is `unknown`. Of a contact, cells agree that
are the same but for case, accents and punctuation, for siblings' rows are not typed alike.

Most keys have one row, which is taken as it is. The others are folded part by part, for a grouping of whole
rows is held in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from reconciler.mapping.entities import ENTITIES, RIGHTS, Entity
from reconciler.mapping.people import comparable
from reconciler.mapping.sql import literal, name
from reconciler.roster.database import number, slices


def fold(db: duckdb.DuckDBPyConnection, entity: str, *, prefer_first: bool) -> None:
    """new_<entity> from judged_<entity>: columns, `row_hash`, and `_rows`, how many rows it was made of."""
    spec = ENTITIES[entity]
    texts = ", ".join(f"{name(c)} VARCHAR" for c in (*spec.columns, "row_hash"))
    db.execute(f"CREATE TABLE new_{entity} ({texts}, _rows BIGINT)")
    if not number(db, f"SELECT count(*) FROM judged_{entity} WHERE verdict = 'ok'"):
        return
    if prefer_first:
        _leave_to_first_source(db, spec)
    parts = slices(db, f"judged_{entity}", _listed(spec.key))
    _note_several(db, spec, parts)
    single = f"FROM judged_{entity} ANTI JOIN several_{entity} USING ({_listed(spec.key)})"
    _take(db, spec, f"SELECT *, 1 AS _rows {single} WHERE verdict = 'ok'")
    if number(db, f"SELECT count(*) FROM several_{entity}"):
        for part in parts:
            _fold_part(db, spec, part)
    db.execute(f"DROP TABLE several_{entity}")


def _note_several(db: duckdb.DuckDBPyConnection, spec: Entity, parts: Sequence[str]) -> None:
    """several_<entity>: the keys that more than one row has."""
    key = _listed(spec.key)
    db.execute(f"CREATE TABLE several_{spec.name} ({', '.join(f'{name(k)} VARCHAR' for k in spec.key)})")
    for part in parts:
        db.execute(
            f"INSERT INTO several_{spec.name} SELECT {key} FROM judged_{spec.name} WHERE verdict = 'ok' "
            f"AND {part} GROUP BY {key} HAVING count(*) > 1"
        )


def _fold_part(db: duckdb.DuckDBPyConnection, spec: Entity, part: str) -> None:
    entity, key, columns = spec.name, _listed(spec.key), _listed(spec.columns)
    db.execute(
        f"CREATE TABLE distinct_{entity} AS SELECT {columns}, count(*) AS _rows FROM judged_{entity} "
        f"SEMI JOIN several_{entity} USING ({key}) WHERE verdict = 'ok' AND {part} GROUP BY {columns}"
    )
    differing = f"SELECT {key} FROM distinct_{entity} GROUP BY {key} HAVING count(*) > 1"
    db.execute(f"CREATE TABLE differing_{entity} AS {differing}")
    _take(db, spec, f"SELECT * FROM distinct_{entity} ANTI JOIN differing_{entity} USING ({key})")
    if number(db, f"SELECT count(*) FROM differing_{entity}"):
        _fold_differing(db, spec)
    db.execute(f"DROP TABLE distinct_{entity}")
    db.execute(f"DROP TABLE differing_{entity}")


def _fold_differing(db: duckdb.DuckDBPyConnection, spec: Entity) -> None:
    entity = spec.name
    db.execute(f"CREATE TABLE folded_{entity} AS {_folded_rows(spec)}")
    db.execute(
        f"UPDATE judged_{entity} j SET verdict = 'rejected', code = 'row.conflict', col = f._differs "
        f"FROM folded_{entity} f WHERE f._differs IS NOT NULL AND j.verdict = 'ok' "
        f"AND {_equal_keys(spec, 'j', 'f')}"
    )
    _take(db, spec, f"SELECT * FROM folded_{entity} WHERE _differs IS NULL")
    db.execute(f"DROP TABLE folded_{entity}")


def _take(db: duckdb.DuckDBPyConnection, spec: Entity, rows: str) -> None:
    columns = _listed(spec.columns)
    db.execute(
        f"INSERT INTO new_{spec.name} SELECT {columns}, {_row_hash(spec.columns)}, _rows FROM ({rows})"
    )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(name(c) for c in columns)


def _leave_to_first_source(db: duckdb.DuckDBPyConnection, spec: Entity) -> None:
    """Rows whose key an earlier source has are duplicates, whatever they say."""
    key, judged = ", ".join(name(k) for k in spec.key), f"judged_{spec.name}"
    db.execute(
        f"UPDATE {judged} j SET verdict = 'duplicate' FROM "
        f"(SELECT {key}, min(_part) AS first FROM {judged} WHERE verdict = 'ok' GROUP BY {key}) f "
        f"WHERE j.verdict = 'ok' AND j._part > f.first AND {_equal_keys(spec, 'j', 'f')}"
    )


def _folded_rows(spec: Entity) -> str:
    """One row for each key of several rows, with `_differs`: the first column in which they contradict."""
    key = ", ".join(name(k) for k in spec.key)
    values = [c for c in spec.columns if c not in spec.key]
    folded = ", ".join(f"{_folded(spec.name, c)} AS {name(c)}" for c in values)
    said = ", ".join(f"{_said(spec.name, c)} AS {name('_' + c)}" for c in values)
    differs = " ".join(f"WHEN max({name('_' + c)}) <> min({name('_' + c)}) THEN {literal(c)}" for c in values)
    return (
        f"SELECT {key}, {folded}, sum(_rows)::BIGINT AS _rows, CASE {differs} END AS _differs "
        f"FROM (SELECT *, {said} FROM distinct_{spec.name} SEMI JOIN differing_{spec.name} USING ({key})) "
        f"GROUP BY {key}"
    )


def _equal_keys(spec: Entity, left: str, right: str) -> str:
    return " AND ".join(f"{left}.{name(k)} = {right}.{name(k)}" for k in spec.key)


def _said(entity: str, column: str) -> str:
    """What a column says, as rows with one key are held against each other; NULL where it says nothing."""
    if column in RIGHTS:
        return f"nullif({name(column)}, 'unknown')"
    return comparable(column) if entity == "contacts" else name(column)


def _folded(entity: str, column: str) -> str:
    """The one value of rows that agree: of several ways to write it the longest, whatever their order."""
    if column in RIGHTS:
        return f"coalesce(max({name('_' + column)}), 'unknown')"
    cell = name(column)
    if entity == "contacts":
        return f"arg_max({cell}, (length({cell}), {cell})) FILTER (WHERE {cell} IS NOT NULL)"
    return f"max({cell})"


def _row_hash(columns: Sequence[str]) -> str:
    """An md5 over every column, the same for the same values in every version of every engine.

    No cell is empty text, and none holds a NUL.
    """
    cells = ", ".join(f"coalesce({name(c)}, '')" for c in columns)
    return f"md5(concat_ws(chr(0), {cells}))"
