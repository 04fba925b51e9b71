"""What the cells of a loaded file mean: words that stand for nothing, and headers that are no rows.

Databases write NULL (or \\N) where a cell is empty. Taken for text, it would be the phone that half of the
contacts share. But Null is a surname too: in a column of names the word counts as nothing only in a file that
uses it as such elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb

from reconciler.mapping.columns import loose
from reconciler.mapping.model import Mapper
from reconciler.mapping.names import name_columns
from reconciler.mapping.sql import literal, literal_list
from reconciler.roster.database import look_through
from reconciler.roster.reading.reader import ParsedFile
from reconciler.roster.reading.tables import LoadedFile
from reconciler.roster.reading.trailers import count_in

_NULL, _NULL_OF_COPY = "NULL", "\\N"
_USUAL = (_NULL, _NULL_OF_COPY)
"""What databases write for an empty cell; no other word is taken for nothing unless a mapper says so."""


def settle_cells(db: duckdb.DuckDBPyConnection, mapper: Mapper, loaded: LoadedFile) -> LoadedFile:
    """The file with words for nothing made NULL and repeated headers taken out, and notices of all this."""
    if loaded.table.absent:
        return loaded
    found = [*_trailers(loaded), *_drop_headers(db, loaded), *_empty_cells(db, mapper, loaded)]
    return replace(loaded, notices=(*loaded.notices, *found))


def _trailers(loaded: LoadedFile) -> list[str]:
    """What was made of last lines that are no rows, and whether the count that they give is ours."""
    notices = []
    for one in (p for p in loaded.parsed if p.trailer):
        line, text = one.trailer or (0, "")
        count, rows = count_in(text), one.rows + len(one.broken)
        said = f": it counts {count} rows, and {rows} were read" if count not in (None, rows) else ""
        notices.append(f"line {line} of {one.display} is its end and no row{said}")
    return notices


def lacks_rows(parsed: ParsedFile) -> bool:
    """Whether a file's last line counts more rows than it has; some count the header and themselves, too."""
    count = count_in(parsed.trailer[1]) if parsed.trailer else None
    return count is not None and count > parsed.rows + len(parsed.broken) + 2


def _drop_headers(db: duckdb.DuckDBPyConnection, loaded: LoadedFile) -> list[str]:
    """Take out lines that repeat the header, as in a file that was put together from several."""
    places, columns = loaded.parsed[0].kept, loaded.parsed[0].columns
    if len(places) < 2:
        return []
    same = " AND ".join(f"lower(c{p}) = {literal(columns[p].lower())}" for p in places)
    table = loaded.table.sql_name
    rows = db.execute(f"SELECT src, line FROM {table} WHERE {same}").fetchall()
    if rows:
        look_through(db, table, lambda below: f"SELECT * FROM {below} WHERE ({same}) IS NOT TRUE")
    for src, _ in rows:
        loaded.parsed[src].rows -= 1
    return [f"{loaded.parsed[src].display} has its header again on line {line}" for src, line in sorted(rows)]


def _empty_cells(db: duckdb.DuckDBPyConnection, mapper: Mapper, loaded: LoadedFile) -> list[str]:
    """Make NULL of cells that say the file's words for nothing."""
    declared = loaded.spec.empty
    words = _USUAL if declared is None else declared
    found = _count(db, loaded, words) if words else {}
    total = sum(found.values())
    if not total:
        return []
    if declared is None and _is_meant(db, mapper, loaded, found):
        return [
            f"{_cells(total, 'name')} in {loaded.table.display} {_says(total)} {_NULL}, and no other column "
            f'does: kept as a name (if it stands for nothing, say "empty": ["{_NULL}"] in the mapper)'
        ]
    cells = ", ".join(f"CASE WHEN {c} NOT IN {literal_list(words)} THEN {c} END AS {c}" for c in found)
    look_through(db, loaded.table.sql_name, lambda below: f"SELECT * REPLACE ({cells}) FROM {below}")
    said = " or ".join(words)
    return [f"{_cells(total, 'cell')} of {loaded.table.display} {_says(total)} {said}, read as empty"]


def _count(db: duckdb.DuckDBPyConnection, loaded: LoadedFile, words: tuple[str, ...]) -> dict[str, int]:
    """For each column in which a cell is one of the words, how many are."""
    places = [f"c{p}" for p in loaded.parsed[0].kept]
    counts = ", ".join(f"count(*) FILTER (WHERE {p} IN {literal_list(words)})" for p in places)
    row = db.execute(f"SELECT {counts or 0} FROM {loaded.table.sql_name}").fetchone() or ()
    return {place: n for place, n in zip(places, row, strict=False) if n}


def _is_meant(
    db: duckdb.DuckDBPyConnection, mapper: Mapper, loaded: LoadedFile, found: dict[str, int]
) -> bool:
    """Whether the word is somebody's name: it stands in columns of names alone."""
    names = {loose(c) for c in name_columns(mapper, loaded.spec.name)}
    columns = loaded.parsed[0].columns
    elsewhere = any(loose(columns[int(place[1:])]) not in names for place in found)
    return not elsewhere and not _count(db, loaded, (_NULL_OF_COPY,))


def _cells(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _says(number: int) -> str:
    return "says" if number == 1 else "say"
