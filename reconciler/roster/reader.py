"""Reads one CSV file row by row, and gives up on no good row because of a bad one.

What comes out is a plain CSV (UTF-8, every cell quoted, the line number first) that a bulk loader cannot
misread, with the rows that could not be read set apart. A quote that is never closed swallows nothing: the
line that opens it is set apart and reading goes on at the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from reconciler.errors import RosterError
from reconciler.roster.encoding import detect_delimiter, detect_encoding

MAX_LINE = 4 << 20
"""Characters in one physical line. Longer is no roster."""
MAX_RECORD_LINES = 1000
"""Physical lines in one row. A quoted cell that runs on for longer was never closed."""

csv.field_size_limit(MAX_LINE * 2)


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be read as cells."""

    line: int
    code: str
    reason: str
    cells: tuple[str, ...]
    """Whatever stands between delimiters on the line: among it, perhaps, the row's key."""


@dataclass(slots=True)
class ParsedFile:
    """One physical file, read."""

    display: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    rows: int = 0
    broken: list[BrokenRow] = field(default_factory=list)
    truncated_at: int = 0
    """The line in whose middle the file ends; 0 where it ends at the end of a row."""
    ends_with_newline: bool = True


class _Writer(Protocol):
    """What csv.writer returns; it has no public name."""

    def writerow(self, row: Iterable[object], /) -> object: ...


class _UnclosedError(Exception):
    """A row runs on for too long to be one."""


class _Lines:
    """The physical lines of a file, with a memory of those that the current row took."""

    def __init__(self, stream: TextIO, display: str):
        self._stream = stream
        self._display = display
        self._pushed: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0
        """Of the last line that was handed out; the first line of the file is 1."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._pushed.popleft() if self._pushed else self._stream.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE:
            raise RosterError(
                f"{self._display}: line {self.number} is longer than {MAX_LINE:,} characters",
                code="csv.rows",
                hint="this is no roster file; ask the district what it exports",
            )
        self.taken.append(line)
        if len(self.taken) > MAX_RECORD_LINES:
            raise _UnclosedError
        return line

    def start_record(self) -> None:
        self.taken = []

    def give_back_all_but_first(self) -> None:
        """The next row starts on the line after the first one of this row."""
        rest = self.taken[1:]
        self._pushed.extendleft(reversed(rest))
        self.number -= len(rest)
        self.taken = self.taken[:1]


def read_csv(
    path: Path,
    to: Path,
    *,
    display: str,
    encoding: str = "",
    delimiter: str = "",
    wanted: Collection[str] = (),
) -> ParsedFile:
    """Read the file at `path` and write its good rows to `to`: the line number, then the header's cells.

    Raises RosterError csv.encoding, and csv.header for a file that is empty or does not start with a header
    (none of the `wanted` columns is on its first line).
    """
    codec = detect_encoding(path, encoding, display)
    with (
        path.open("r", encoding=codec, newline="") as stream,
        to.open("w", encoding="utf-8", newline="") as out,
    ):
        lines = _Lines(stream, display)
        header_line = next((line for line in lines if line.strip("\ufeff \t\r\n,;|")), None)
        if header_line is None:
            raise RosterError(
                f"{display} is empty",
                code="csv.header",
                hint="the export may have failed; nothing was changed, and the next sync will look again",
            )
        delimiter = delimiter or detect_delimiter(header_line, wanted)
        columns = _header(header_line, delimiter, wanted, display)
        parsed = ParsedFile(display, codec, delimiter, columns)
        _copy_rows(lines, parsed, csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n"))
    return parsed


def _header(line: str, delimiter: str, wanted: Collection[str], display: str) -> tuple[str, ...]:
    cells = next(csv.reader([line], delimiter=delimiter), [])
    columns = tuple(cell.strip().strip("\ufeff").strip() for cell in cells)
    while columns and not columns[-1]:
        columns = columns[:-1]
    present = {c.casefold() for c in columns}
    if wanted and not present & {w.strip().casefold() for w in wanted}:
        raise RosterError(
            f"{display} does not start with a header: its first line has none of the columns that the "
            f"mapper reads ({', '.join(sorted(wanted)[:6])}, …)",
            code="csv.header",
            hint="ask the district to export with a header row, or correct the mapper",
        )
    return columns


def _copy_rows(lines: _Lines, parsed: ParsedFile, writer: _Writer) -> None:
    width = len(parsed.columns)
    reader = csv.reader(lines, delimiter=parsed.delimiter, strict=True)
    last = ""
    while True:
        lines.start_record()
        start = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except (csv.Error, _UnclosedError) as error:
            code, reason = _structural(error)
            lines.give_back_all_but_first()
            reader = csv.reader(lines, delimiter=parsed.delimiter, strict=True)
        else:
            code, reason = _misfit(row, width, lines, parsed.delimiter)
            if code == "row.quote":
                lines.give_back_all_but_first()
        last = lines.taken[-1]
        if code:
            _set_apart(parsed, start, code, reason, lines.taken[0])
        elif any(cell.strip() for cell in row):
            writer.writerow((start, *row[:width]))
            parsed.rows += 1
    parsed.ends_with_newline = last.endswith(("\n", "\r")) if last else True
    if not parsed.ends_with_newline and parsed.broken and parsed.broken[-1].line == lines.number:
        parsed.truncated_at = lines.number


def _structural(error: Exception) -> tuple[str, str]:
    if isinstance(error, _UnclosedError) or "unexpected end" in str(error):
        return "row.quote", "a quote is opened and never closed"
    return "row.quote", "a quote stands where none may stand"


def _misfit(row: list[str], width: int, lines: _Lines, delimiter: str) -> tuple[str, str]:
    """Why a parsed row does not fit its header; two empty texts where it does."""
    if not any(cell.strip() for cell in row):
        return "", ""
    if len(lines.taken) > 1 and any(line.count(delimiter) >= width - 1 > 0 for line in lines.taken[1:]):
        return "row.quote", "a quoted cell runs over the rows below it"
    if len(row) < width or any(cell.strip() for cell in row[width:]):
        if len(lines.taken) > 1:
            return "row.quote", "a quoted cell runs over the rows below it"
        return "row.ragged", f"the row has {len(row)} cells, the header has {width}"
    if any("\0" in cell for cell in row):
        return "row.nul", "the row holds a NUL character"
    return "", ""


def _set_apart(parsed: ParsedFile, line: int, code: str, reason: str, text: str) -> None:
    cells = (w.strip().strip('"').strip() for w in text.split(parsed.delimiter))
    parsed.broken.append(BrokenRow(line, code, reason, tuple(cells)))
