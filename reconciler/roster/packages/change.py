"""A delta written over the rows that are known of its file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import duckdb

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.columns import Table, loose
from reconciler.mapping.sql import literal
from reconciler.roster.database import look_through, number
from reconciler.roster.packages.base import load_kept, refuse_unkept, unread_file
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.reading.reader import BrokenRow, ParsedFile
from reconciler.roster.reading.tables import LoadedFile, load_broken_words

STATUS = "status"
"""OneRoster's column that says of a delta's row whether it is `active` or `tobedeleted`."""
_DELETED = "tobedeleted"
_CONFLICT = "another row of this delta has the same id and says something else"


def change_by(
    db: duckdb.DuckDBPyConnection,
    delta: LoadedFile,
    sql_name: str,
    kept: KeptFile,
    wanted: Collection[str],
    scratch: Path,
    *,
    may_lose_columns: bool,
) -> LoadedFile:
    """The kept rows with a delta's rows written over them, as the table `sql_name`.

    A row of the delta replaces those with its key, or deletes them where its status says so. Rows of the
    delta that contradict each other, or have no key, are set apart, and what was kept stays.
    Raises RosterError csv.manifest, and MapperError mapper.column for a column that the delta lost.
    """
    refuse_unkept(kept, wanted, delta.table.display)
    merge = _Merge(db, delta, sql_name, kept)
    if not may_lose_columns:
        _refuse_lost(kept, delta.table)
    load_kept(db, kept, merge.base, scratch)
    merge.set_bad_rows_apart()
    unread = [u for u in kept.unread if not merge.is_resolved(u)]
    merge.run()
    rows = number(db, f"SELECT count(*) FROM {sql_name}")
    # What is mapped, and what shares are of, are all rows that are known.
    first, *others = delta.parsed
    parts = [replace(first, rows=rows - sum(p.rows for p in others)), *others]
    earlier = unread_file(delta, kept, unread)
    words = load_broken_words(db, f"{sql_name}_words", earlier, scratch)
    table = Table(delta.spec.name, sql_name, merge.header, delta.table.display, broken_words=words)
    notices = (*delta.notices, merge.notice())
    origin, deleted = f"{sql_name}_origin", f"{sql_name}_deleted"
    return LoadedFile(delta.spec, table, (*parts, *earlier), notices, origin, deleted, len(parts))


def _refuse_lost(kept: KeptFile, delta: Table) -> None:
    has = {loose(c) for c in delta.columns}
    lost = sorted(c for c, is_kept in kept.columns if is_kept and loose(c) not in has and loose(c) != STATUS)
    if lost:
        raise MapperError(
            f"{delta.display} no longer has the column {lost[0]!r} of the last sync",
            code="mapper.column",
            hint="ask the district to export it again, correct the mapper, or let this through once "
            "with --allow-removals",
        )


class _Merge:
    """One delta being written over kept rows."""

    def __init__(self, db: duckdb.DuckDBPyConnection, delta: LoadedFile, sql_name: str, kept: KeptFile):
        self._db = db
        self._delta = delta
        self._kept = kept
        self._table = sql_name
        self.base = f"{sql_name}_base"
        self._rows = delta.table.sql_name
        self._key = self._column(delta.spec.key)
        self._base_key = f"c{_place(kept, delta.spec.key)}"
        status = delta.table.find(STATUS)
        self._is_deleted = (
            f"coalesce(lower(trim(c{status})) = '{_DELETED}', false)" if status is not None else "false"
        )
        self._has_status = status is not None
        had = {loose(c) for c in kept.header}
        self._new = [i for i in delta.parsed[0].kept if loose(delta.table.columns[i]) not in had]
        self.header = (*kept.header, *(delta.table.columns[i] for i in self._new))

    def set_bad_rows_apart(self) -> None:
        """Rows without a key, and rows that contradict each other, become lines that could not be read."""
        kept = self._delta.parsed[0].kept
        cells = ", ".join(f"coalesce(c{i}, '')" for i in kept)
        bad = (
            f"{self._key} IS NULL OR {self._key} IN (SELECT {self._key} FROM {{}} "
            f"GROUP BY {self._key} HAVING count(DISTINCT [{cells}]) > 1)"
        )
        rows = self._db.execute(
            f"SELECT src, line, {self._key} IS NULL, {cells} FROM {self._rows} "
            f"WHERE {bad.format(self._rows)} ORDER BY src, line"
        ).fetchall()
        for src, line, nameless, *found in rows:
            code, reason = ("row.conflict", _CONFLICT)
            if nameless:
                code, reason = "row.required", f"{self._delta.spec.key} is empty"
            part = self._delta.parsed[src]
            part.broken.append(
                BrokenRow(line, code, reason, self._laid_out(part, dict(zip(kept, found, strict=True))))
            )
            part.rows -= 1
        if rows:
            look_through(
                self._db, self._rows, lambda t: f"SELECT * FROM {t} WHERE ({bad.format(t)}) IS NOT TRUE"
            )

    def _laid_out(self, part: ParsedFile, cells: dict[int, str]) -> tuple[str, ...]:
        """The cells in the order of the columns of the part that they stand in; what is not read is empty."""
        columns = self._delta.table.columns
        by_name = {loose(columns[i]): cell for i, cell in cells.items()}
        return tuple(by_name.get(loose(c), "") if i in part.kept else "" for i, c in enumerate(part.columns))

    def is_resolved(self, line: BrokenRow) -> bool:
        """Whether the delta has a good row for the key of a line that could not be read before."""
        place, width = _place(self._kept, self._delta.spec.key), len(self._kept.columns)
        if len(line.cells) < width or (len(line.cells) > width and place > 0):
            return False
        query = f"SELECT count(*) FROM {self._rows} WHERE {self._key} = {literal(line.cells[place])}"
        return number(self._db, query) > 0

    def run(self) -> None:
        """The table, where its rows that stand in today's files come from, and what is deleted."""
        last = number(self._db, f"SELECT coalesce(max(line), 0) FROM {self.base}")
        self._db.execute(
            f"CREATE TABLE {self._table}_origin AS SELECT coalesce(b.line, {last} + "
            f"row_number() OVER (ORDER BY d.src, d.own)) AS line, d.src, d.own FROM ("
            f"SELECT {self._key} AS key, arg_min(src, (src, line)) AS src, arg_min(line, (src, line)) AS own "
            f"FROM {self._rows} WHERE NOT {self._is_deleted} GROUP BY {self._key}) d LEFT JOIN "
            f"(SELECT {self._base_key} AS key, min(line) AS line FROM {self.base} GROUP BY 1) b "
            f"ON b.key = d.key"
        )
        of_delta = ", ".join(self._from_delta(i) for i in range(len(self.header)) if self._is_read(i))
        changed = f"{self._base_key} IN (SELECT {self._key} FROM {self._rows})"
        deleted = f"{self._base_key} IN (SELECT {self._key} FROM {self._rows} WHERE {self._is_deleted})"
        self._db.execute(
            f"CREATE TABLE {self._table} AS {self._known()} "
            f"WHERE NOT deleted AND NOT coalesce({changed}, false) UNION ALL "
            f"SELECT 0, o.line, false, {of_delta} FROM {self._table}_origin o "
            f"JOIN {self._rows} d ON d.src = o.src AND d.line = o.own"
        )
        self._db.execute(
            f"CREATE TABLE {self._table}_deleted AS {self._known()} "
            f"WHERE {deleted} OR (deleted AND NOT coalesce({changed}, false))"
        )

    def _known(self) -> str:
        """The rows that were known, in the columns of the table; empty in those that the delta brings."""
        cells = "".join(
            f", {f'c{i}' if i < len(self._kept.columns) else 'NULL::VARCHAR'} AS c{i}"
            for i in range(len(self.header))
            if self._is_read(i)
        )
        return f"SELECT 0 AS src, line, deleted{cells} FROM {self.base}"

    def _is_read(self, place: int) -> bool:
        return place >= len(self._kept.columns) or self._kept.columns[place][1]

    def notice(self) -> str:
        """What the delta came to, in counts."""
        upserts = number(self._db, f"SELECT count(*) FROM {self._table}_origin")
        deleted = number(
            self._db, f"SELECT count(DISTINCT {self._key}) FROM {self._rows} WHERE {self._is_deleted}"
        )
        said = "" if self._has_status else "; it has no column status, so it can delete none"
        return (
            f"{self._delta.table.display} is a delta: {upserts} rows written over the {self._kept.rows} "
            f"that were known, {deleted} deleted{said}"
        )

    def _column(self, name: str) -> str:
        """The delta's column of this name; a delta without its key changes nobody knows whom."""
        place = self._delta.table.find(name)
        if place is None:
            raise RosterError(
                f"{self._delta.table.display} is a delta without the column {name!r}, by which its rows "
                f"find those that they change",
                code="csv.manifest",
                hint="ask the district to export it again, or for a bulk export; nothing was changed",
            )
        return f"c{place}"

    def _from_delta(self, place: int) -> str:
        found = self._delta.table.find(self.header[place])
        return "NULL::VARCHAR" if found is None else f"d.c{found}"


def _place(kept: KeptFile, column: str) -> int:
    return next(i for i, c in enumerate(kept.header) if loose(c) == loose(column))
