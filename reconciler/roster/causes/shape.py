"""The shape of a roster's files, kept with a sync: what a later one is held against, to name a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.sql import name
from reconciler.roster.causes.files import row_digest
from reconciler.roster.database import number
from reconciler.roster.reading.tables import LoadedFile

_SAMPLED = 100
"""Rows of an entity whose order is kept: enough to see that the missing ones stood at the end."""
_ORDERED = ("students", "contacts", "relationships")
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of a Snapshot that say what its files looked like."""

    formats: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, int]
    order: Mapping[str, tuple[str, ...]]


def formats(files: Sequence[LoadedFile]) -> dict[str, tuple[str, str]]:
    """Each file of the mapper with its encoding and its delimiter, in words."""
    return {f.spec.name: _format(f) for f in files if f.parsed}


def _format(file: LoadedFile) -> tuple[str, str]:
    one = file.parsed[0]
    delimiter = _DELIMITERS.get(one.delimiter, repr(one.delimiter))
    return one.encoding.removesuffix("-sig"), f"{delimiter}-delimited"


def row_counts(files: Sequence[LoadedFile]) -> dict[str, int]:
    """Each file of the mapper with its rows."""
    return {f.spec.name: f.rows for f in files if f.parsed}


def order(db: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """Digests of some keys of each entity, in the order of its files; after `resolve`."""
    return {entity: _order(db, entity) for entity in _ORDERED}


def _order(db: duckdb.DuckDBPyConnection, entity: str) -> tuple[str, ...]:
    digest, keys = row_digest(entity), ", ".join(map(name, ENTITIES[entity].key))
    step = max(number(db, f"SELECT count(*) FROM new_{entity}") // _SAMPLED, 1)
    rows = db.execute(
        f"SELECT {digest} AS digest, min((_file, _src, _line)) AS place FROM judged_{entity} "
        f"WHERE verdict = 'ok' AND hash({keys}) % {step} = 0 GROUP BY digest ORDER BY place"
    ).fetchall()
    return tuple(row[0] for row in rows)
