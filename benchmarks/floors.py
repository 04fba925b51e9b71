"""The least that a first sync has to do: the rows, already mapped, into the same tables of a fresh database.

The tables are those of our migrations, with their keys, checks and foreign keys. One transaction, committed.
Everything that can be made ready (tuples, the text of COPY) is made ready before the clock starts.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.measured import seconds
from benchmarks.one_sync import DISTRICT, MAPPING, roster_of

_TABLES = {"students": "student", "contacts": "contact", "relationships": "relationship", "staff": "staff"}
_RIGHTS = ("may_pick_up", "emergency", "custody_alert")
_AT = "2026-11-23T00:00:00.000000Z"
_PIECE = 1 << 18

Rows = list[tuple[Any, ...]]
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class Floor:
    """The mapped rows of a folder, ready to be written. Use with `with`: COPY's text lies in files."""

    def __init__(self, folder: Path) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="reconciler-bench-")
        self._entities: list[tuple[str, tuple[str, ...]]] = []
        with tempfile.TemporaryDirectory() as scratch, roster_of(folder, Path(scratch)) as roster:
            roster.resolve(MAPPING)
            for delta in roster.deltas():
                self._entities.append((delta.entity, delta.columns))
                self._write(delta.entity, delta.columns, delta.upserts())

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *exc: object) -> None:
        self._scratch.cleanup()

    def copy(self, url: str) -> float:
        """Seconds of COPY into a migrated, empty PostgreSQL database, from pieces of ready text."""
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
            return seconds(lambda: self._copy(connection))

    def executemany(self, path: Path) -> float:
        """Seconds of executemany into a migrated, empty SQLite database, from tuples in memory."""
        ready = [(e, columns, list(map(tuple, self._rows(e)))) for e, columns in self._entities]
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            return seconds(lambda: _insert(connection, ready))

    def _copy(self, connection: psycopg.Connection[Any]) -> None:
        for entity, columns in self._entities:
            names = ", ".join(("district", "active", "added_at", "changed_at", *columns))
            with (
                connection.cursor().copy(f"COPY {_TABLES[entity]} ({names}) FROM STDIN") as copy,
                self._path(entity).open("rb") as file,
            ):
                while piece := file.read(_PIECE):
                    copy.write(piece)
        connection.commit()

    def _path(self, entity: str) -> Path:
        return Path(self._scratch.name) / entity

    def _write(self, entity: str, columns: tuple[str, ...], rows: Iterator[tuple[Any, ...]]) -> None:
        with self._path(entity).open("w", encoding="utf-8", newline="") as file:
            for row in rows:
                cells = (_cell(column, value) for column, value in zip(columns, row, strict=True))
                file.write("\t".join((DISTRICT, "1", _AT, _AT, *cells)) + "\n")

    def _rows(self, entity: str) -> Iterator[list[str | None]]:
        with self._path(entity).open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield [None if cell == r"\N" else cell for cell in line.rstrip("\n").split("\t")]


def _cell(column: str, value: str | None) -> str:
    """A cell as COPY writes it. The generated rows hold no character that needs more."""
    if not value:
        return "unknown" if column in _RIGHTS else r"\N"
    return value.translate(_ESCAPES)


def _insert(connection: sqlite3.Connection, ready: list[tuple[str, tuple[str, ...], Rows]]) -> None:
    for entity, columns, rows in ready:
        names = ("district", "active", "added_at", "changed_at", *columns)
        marks = ", ".join("?" for _ in names)
        connection.executemany(f"INSERT INTO {_TABLES[entity]} ({', '.join(names)}) VALUES ({marks})", rows)
    connection.commit()
