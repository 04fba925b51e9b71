"""Reads one CSV file: its header, then row by row, giving up on no good row because of a bad one.

What comes out of the rows is a plain CSV (UTF-8, every cell quoted, the line number first) that a bulk loader
cannot misread, with the rows that could not be read set apart. A quote that is never closed swallows nothing:
the line that opens it is set apart and reading goes on at the next line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reconciler.errors import RosterError
from reconciler.mapping.columns import SPACES, loose
from reconciler.mapping.headers import renamed
from reconciler.roster.reading.encoding import detect_delimiter, detect_encoding
from reconciler.roster.reading.lines import Lines, UnclosedError, cells_of, clean

_SEP = re.compile(r"\ufeff?\"?sep=([,;|\t])\"?[\r\n]*", re.IGNORECASE)
_CHANGED = "nothing was changed, and the next sync will look again"


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read as cells."""

    line: int
    code: str
    reason: str
    cells: tuple[str, ...]
    """Whatever stands between delimiters on its lines: among it, perhaps, the row's key."""


@dataclass(slots=True)
class ParsedFile:
    """One physical file, read."""

    display: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    kept: tuple[int, ...]
    """The places of the columns that the mapper reads: those that are loaded."""
    is_plain: bool = True
    """Whether the header is the first line, and no blank cell was cut from its end."""
    rows: int = 0
    broken: list[BrokenRow] = field(default_factory=list)
    truncated_at: int = 0
    """The line in whose middle the file ends; 0 where it ends at the end of a row."""
    ends_with_newline: bool = True
    trailer: tuple[int, str] | None = None
    """The number and the text of a last line that is no row."""
    header: tuple[str, ...] = ()
    """The columns as the file names them; `columns` has the mapper's names for some."""


class _Writer(Protocol):
    """What csv.writer returns; it has no public name."""

    def writerow(self, row: Iterable[object], /) -> object: ...


def read_header(
    path: Path,
    *,
    display: str,
    encoding: str = "",
    delimiter: str = "",
    wanted: Collection[str] | None = None,
    columns: Sequence[tuple[str, Sequence[str]]] = (),
) -> ParsedFile:
    """How the file at `path` is to be read, and its columns; no row is read. `wanted` None: all columns.
    `columns` are the mapper's names for columns, each with the names that it goes by in files.

    Raises RosterError csv.encoding, and csv.header for a file that is empty or does not start with a header
    (none of the `wanted` columns is on its first line).
    """
    codec = detect_encoding(path, encoding, display)
    with path.open("r", encoding=codec, newline="") as stream:
        lines = Lines(stream, display)
        header_line, said = _first_line(lines)
    if not header_line:
        raise RosterError(
            f"{display} is empty", code="csv.header", hint=f"the export may have failed; {_CHANGED}"
        )
    known = {*(wanted or ()), *(name for _, others in columns for name in others)}
    delimiter = delimiter or said or detect_delimiter(header_line, known)
    header = _cells(header_line, delimiter)
    names = renamed(header, _all_names(columns, wanted or ())) if columns else header
    _refuse_no_header(names, wanted or (), display)
    is_plain = lines.number == 1 and len(header) == len(cells_of(header_line, delimiter))
    return ParsedFile(display, codec, delimiter, names, _places(names, wanted), is_plain, header=header)


def read_rows(path: Path, to: Path, parsed: ParsedFile) -> None:
    """Write the good rows to `to`, the line number and then the wanted cells, and set the others apart.

    Cells are brought to Unicode's composed form, without space at their ends.
    """
    with (
        path.open("r", encoding=parsed.encoding, newline="") as stream,
        to.open("w", encoding="utf-8", newline="") as out,
    ):
        lines = Lines(stream, parsed.display)
        _first_line(lines)
        _copy_rows(lines, parsed, csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n"))


def _first_line(lines: Lines) -> tuple[str, str]:
    """The header's line, and the delimiter where a line `sep=;` before it says it to a spreadsheet."""
    line = lines.first_with_text()
    said = _SEP.fullmatch(line)
    return (lines.first_with_text(), said[1]) if said else (line, "")


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    columns = cells_of(line, delimiter)
    while columns and not columns[-1]:
        columns = columns[:-1]
    return columns


def _all_names(
    columns: Sequence[tuple[str, Sequence[str]]], wanted: Collection[str]
) -> list[tuple[str, Sequence[str]]]:
    """The columns with other names, then those that have none: their punctuation does not count either."""
    listed = {column for column, _ in columns}
    return [*columns, *((column, ()) for column in sorted(wanted) if column not in listed)]


def _refuse_no_header(columns: Sequence[str], wanted: Collection[str], display: str) -> None:
    if columns and (not wanted or {loose(c) for c in columns} & {loose(w) for w in wanted}):
        return
    named = sorted(wanted)
    raise RosterError(
        f"{display} does not start with a header: its first line has none of the columns that the "
        f"mapper reads ({', '.join(named[:6])}{', …' if len(named) > 6 else ''})",
        code="csv.header",
        hint="ask the district to export with a header row, or correct the mapper's columns or its delimiter",
    )


def _places(columns: Sequence[str], wanted: Collection[str] | None) -> tuple[int, ...]:
    known = None if wanted is None else {loose(w) for w in wanted}
    return tuple(i for i, c in enumerate(columns) if known is None or loose(c) in known)


def _copy_rows(lines: Lines, parsed: ParsedFile, writer: _Writer) -> None:
    is_broken = False
    for record in _records(lines, parsed.delimiter):
        row = record if isinstance(record, list) else []
        code, reason = ("row.quote", record) if isinstance(record, str) else _misfit(row, lines, parsed)
        is_broken = bool(code) and not lines.are_blank
        if is_broken:
            _set_apart(parsed, lines, code, reason)
        elif any(row) and not code:
            writer.writerow((lines.record_start, *(row[i] for i in parsed.kept)))
            parsed.rows += 1
    parsed.ends_with_newline, parsed.trailer = lines.ends_with_newline, lines.trailer
    if is_broken and not parsed.ends_with_newline:
        parsed.truncated_at = lines.number


def _records(lines: Lines, delimiter: str) -> Iterator[list[str] | str]:
    """The cells of each row, or why a line cannot be read as cells; `lines.taken` are its lines."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.start_record()
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnclosedError) as error:
            lines.give_back_all_but_first()
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield _structural(error)
        else:
            yield _cleaned(row, lines.taken)


def _cleaned(row: list[str], lines: list[str]) -> list[str]:
    """Every cell as `clean` has it; most rows are ASCII, where that is a plain strip."""
    if all(map(str.isascii, lines)):
        return [cell.strip() for cell in row]
    return [clean(cell) for cell in row]


def _structural(error: Exception) -> str:
    if isinstance(error, UnclosedError) or "unexpected end" in str(error):
        return "a quote is opened and never closed"
    return "a quote stands where none may stand"


def _misfit(row: list[str], lines: Lines, parsed: ParsedFile) -> tuple[str, str]:
    """Why a parsed row does not fit its header; two empty texts where it does, or is blank."""
    width = len(parsed.columns)
    if not any(row):
        return "", ""
    if _runs_over(row, width, lines, parsed.delimiter):
        return "row.quote", "a quoted cell runs over what looks like rows below it"
    if len(row) < width or any(row[width:]):
        return "row.ragged", f"the row has {len(row)} cells, the header has {width}"
    if any("\0" in line for line in lines.taken):
        return "row.nul", "the row holds a NUL character"
    return "", ""


def _runs_over(row: list[str], width: int, lines: Lines, delimiter: str) -> bool:
    """Whether a cell's further lines look like rows: delimiters are in them, and enough on one line."""
    if not any(line.count(delimiter) >= width - 1 > 0 for line in lines.taken[1:]):
        return False
    return any(delimiter in line for cell in row for line in cell.splitlines()[1:])


def _set_apart(parsed: ParsedFile, lines: Lines, code: str, reason: str) -> None:
    """Set the current record apart.

    Where a cell runs over what looks like rows, nobody can tell whether they are rows: each of its lines
    counts as one that could not be read, so that no text inside a cell ever becomes a row.
    """
    if code == "row.quote":
        for offset, line in enumerate(lines.taken):
            cells = _raw_cells(line, parsed.delimiter)
            parsed.broken.append(BrokenRow(lines.record_start + offset, code, reason, cells))
    else:
        text = parsed.delimiter.join(line.rstrip("\r\n") for line in lines.taken)
        parsed.broken.append(BrokenRow(lines.record_start, code, reason, _raw_cells(text, parsed.delimiter)))


def _raw_cells(text: str, delimiter: str) -> tuple[str, ...]:
    """A line cut at its delimiters, quotes notwithstanding."""
    cells = text.replace("\0", "").split(delimiter)
    return tuple(clean(cell.strip(SPACES).strip('"')) for cell in cells)
