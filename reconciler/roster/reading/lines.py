"""The physical lines of a text file, handed out one by one, with the way back for a row that ran too far."""

from __future__ import annotations

import csv
import unicodedata
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from reconciler.errors import RosterError
from reconciler.mapping.columns import SPACES
from reconciler.roster.reading.trailers import CTRL_Z, is_trailer

MAX_LINE = 4 << 20
"""Characters in one physical line, and in one row. Longer is no roster."""
MAX_RECORD_LINES = 1000
"""Physical lines in one row. A quoted cell that runs on for longer was never closed."""

_FILLER = SPACES + ",;|"
_BLANK = _FILLER + CTRL_Z

csv.field_size_limit(MAX_LINE * 2)


class UnclosedError(Exception):
    """A row runs on for too long to be one."""


class Lines:
    """The lines of a stream, with a memory of those that the current row took."""

    def __init__(self, stream: TextIO, display: str):
        self._stream = stream
        self._display = display
        self._pushed: deque[str] = deque()
        self._characters = 0
        self.taken: list[str] = []
        """The lines of the current row."""
        self.number = 0
        """Of the last line that was handed out; the first line of the file is 1."""
        self.record_start = 1
        """The line on which the current row starts."""
        self.trailer: tuple[int, str] | None = None
        """The number and the text of the last line, where it only says that the file ends."""
        self.ends_with_newline = True
        """Whether the last line that was handed out ends with a line break."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next_line()
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
        self.ends_with_newline = line.endswith(("\n", "\r"))
        self._characters += len(line)
        if len(self.taken) > MAX_RECORD_LINES or self._characters > MAX_LINE:
            raise UnclosedError
        return line

    def _next_line(self) -> str:
        """The next line; empty at the end, which a trailer is."""
        line = self._read()
        if self._peek()[:1] not in _BLANK or self.taken or _is_filler(line) or not self._is_last():
            return line
        if is_trailer(line):
            self.trailer = self.number + 1, line
            return ""
        return line.rstrip(CTRL_Z)

    def _read(self) -> str:
        return self._pushed.popleft() if self._pushed else self._stream.readline(MAX_LINE + 1)

    def _peek(self) -> str:
        if not self._pushed:
            self._pushed.append(self._stream.readline(MAX_LINE + 1))
        return self._pushed[0]

    def _is_last(self) -> bool:
        """Whether only blank lines follow, if any."""
        following = list(self._pushed)
        while following[-1] and not following[-1].strip(_BLANK):
            following.append(self._stream.readline(MAX_LINE + 1))
        self._pushed = deque(following)
        return not any(line.strip(_BLANK) for line in following)

    @property
    def are_blank(self) -> bool:
        """Whether the lines of the current row hold nothing but delimiters, of whatever kind."""
        return not any(line.strip(_BLANK) for line in self.taken)

    def first_with_text(self) -> str:
        """The first line that is not blank; empty where there is none."""
        self.start_record()
        for line in self:
            if line.strip(_BLANK):
                return line
            self.start_record()
        return ""

    def start_record(self) -> None:
        """The next line is the first of a row."""
        self.taken = []
        self._characters = 0
        self.record_start = self.number + 1

    def give_back_all_but_first(self) -> None:
        """The next row starts on the line after the first one of this row."""
        rest = self.taken[1:]
        self._pushed.extendleft(reversed(rest))
        self.number -= len(rest)
        self.taken = self.taken[:1]


def _is_filler(line: str) -> bool:
    """Whether a line can be neither the end of a file nor a row; spreadsheets save a million of them."""
    return not line.strip(_FILLER)


def clean(text: str) -> str:
    """As every cell is brought in: composed characters, and no space at the ends."""
    return unicodedata.normalize("NFC", text).strip(SPACES)


def cells_of(line: str, delimiter: str) -> tuple[str, ...]:
    """The cells of a header line, cleaned."""
    row: list[str] = next(csv.reader([line], delimiter=delimiter), [])
    return tuple(clean(cell) for cell in row)
