"""The newest file of a dated series: by the date in its name, else by the time of its upload.

The name counts first: an old file that is uploaded again gets a new time and keeps its name. The file that is
taken decides who stays enrolled, so where neither says which one is newest, none is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from reconciler.errors import RosterError
from reconciler.mapping.filenames import meant
from reconciler.mapping.model import FileSpec, Mapper
from reconciler.roster.delta import RemoteFile

_DIGITS = re.compile(r"(\d+)", re.ASCII)
_YEARS = range(2000, 2100)

Groups = tuple[str, ...]
"""The runs of digits in a file's name."""
Order = tuple[int, ...]
Reading = Callable[[Groups], Order | None]
"""From the runs of digits from some place on to year, month, day and what follows; None: no date is there."""


@dataclass(frozen=True, slots=True)
class Newest:
    """A file chosen out of several, and by what."""

    file: RemoteFile
    by: str
    """In words."""


def newest(files: Sequence[RemoteFile], pattern: str) -> Newest:
    """The newest of at least two files. Raises RosterError csv.ambiguous where nothing tells which it is."""
    named = newest_by_name([f.name for f in files])
    if named is not None:
        return Newest(files[named], "its name")
    latest = max(f.modified for f in files)
    found = [f for f in files if f.modified == latest]
    if len(found) == 1:
        return Newest(found[0], "the time of its upload")
    names = ", ".join(sorted(f.name for f in found)[:5])
    raise RosterError(
        f"{len(files)} files match {pattern}, and neither names nor times tell which is the newest: {names}",
        code="csv.ambiguous",
        hint="ask the district to remove the old ones, or to write the date as YYYYMMDD into the name",
    )


def matching_files(spec: FileSpec, available: Sequence[RemoteFile]) -> list[RemoteFile]:
    """The available files that a file of the mapper may be read from."""
    names = meant(spec, [f.name for f in available])
    return [f for f in available if f.name in names]


def choice_notices(mapper: Mapper, available: Sequence[RemoteFile]) -> tuple[str, ...]:
    """Which file was taken, for each file of the mapper of which there are several."""
    said = []
    for spec in mapper.files.values():
        matching = matching_files(spec, available)
        if spec.several != "all" and len(matching) > 1:
            found = newest(matching, spec.pattern)
            said.append(
                f"{found.file.name} is read, by {found.by} the newest of {len(matching)} files that match "
                f"{spec.pattern}"
            )
    return tuple(said)


def newest_by_name(names: Sequence[str], *, dates_only: bool = False) -> int | None:
    """The place of the newest of names that differ in a date or a number only; None where they do not tell.

    `students_20261123.csv` is later than `students_20261122.csv`, `export-12-31-2025.csv` earlier than
    `export-01-01-2026.csv`, `part 9` earlier than `part 10`. A date that can be read in two ways, such as
    `01022026`, tells nothing unless both lead to the same file. `dates_only`: numbers, six digits and what
    follows a date tell nothing, for they may number the parts of one export.
    """
    split = [_DIGITS.split(name.casefold()) for name in names]
    if len({tuple(parts[::2]) for parts in split}) > 1:
        return None
    groups = [tuple(parts[1::2]) for parts in split]
    differing = [i for i, column in enumerate(zip(*groups, strict=True)) if len(set(column)) > 1]
    if not differing:
        return None
    found = {_latest(orders) for orders in _readings(groups, differing, dates_only)}
    return found.pop() if len(found) == 1 else None


def _latest(orders: Sequence[Order]) -> int | None:
    """The place of the highest order; None where two share it."""
    last = max(orders)
    return orders.index(last) if orders.count(last) == 1 else None


def _readings(groups: Sequence[Groups], differing: Sequence[int], dates_only: bool) -> list[list[Order]]:
    """The orders of the names, for each way to read what differs: as a date, else as a single number.

    A date that begins with the year leaves no other way.
    """
    first = differing[0]
    dates = _dated(groups, first, _YEAR_FIRST)[:1] or _dated(groups, first, _YEAR_LAST)
    if dates_only:
        return [[order[:3] for order in orders] for orders in dates]
    dates = dates or _dated(groups, first, _SIX_DIGITS)
    if dates or len(differing) > 1:
        return dates
    return [[(int(group[first]),) for group in groups]]


def _dated(groups: Sequence[Groups], last: int, ways: Sequence[Reading]) -> list[list[Order]]:
    """The orders of the names under each way to read a date that begins no later than what differs.

    Numbers after the date, a time or a counter, decide between names of one day.
    """
    found: list[list[Order]] = []
    for start in range(last + 1):
        for read in ways:
            orders = [order for group in groups if (order := read(group[start:])) is not None]
            if len(orders) == len(groups):
                found.append(orders)
    return found


# -- ways to write a date ---------------------------------------------------------------------------------


def _order(year: str, month: str, day: str, rest: Groups) -> Order | None:
    full = int(year) + (2000 if len(year) == 2 else 0)
    try:
        date(full, int(month), int(day))
    except ValueError:
        return None
    return (full, int(month), int(day), *map(int, rest)) if full in _YEARS else None


def _run(length: int, *places: slice) -> Reading:
    """Year, month and day at these places of one run of digits; what follows in it is a time."""

    def read(groups: Groups) -> Order | None:
        text, rest = groups[0], groups[1:]
        if len(text) not in (length, length + 4, length + 6):
            return None
        year, month, day = (text[place] for place in places)
        return _order(year, month, day, (*filter(None, (text[length:],)), *rest))

    return read


def _apart(year: int, month: int, day: int) -> Reading:
    """Year, month and day at these places among three runs of digits."""

    def read(groups: Groups) -> Order | None:
        if len(groups) < 3 or len(groups[year]) != 4 or not all(len(g) <= 2 for g in _but(groups[:3], year)):
            return None
        return _order(groups[year], groups[month], groups[day], groups[3:])

    return read


def _but(groups: Groups, place: int) -> Groups:
    return groups[:place] + groups[place + 1 :]


_YEAR_FIRST = (
    _run(8, slice(0, 4), slice(4, 6), slice(6, 8)),
    _apart(0, 1, 2),
)
"""YYYYMMDD and 2026-11-23."""
_YEAR_LAST = (
    _run(8, slice(4, 8), slice(0, 2), slice(2, 4)),
    _run(8, slice(4, 8), slice(2, 4), slice(0, 2)),
    _apart(2, 0, 1),
    _apart(2, 1, 0),
)
"""MMDDYYYY, DDMMYYYY, 11-23-2026 and 23-11-2026."""
_SIX_DIGITS = (
    _run(6, slice(0, 2), slice(2, 4), slice(4, 6)),
    _run(6, slice(4, 6), slice(0, 2), slice(2, 4)),
    _run(6, slice(4, 6), slice(2, 4), slice(0, 2)),
)
"""YYMMDD, MMDDYY and DDMMYY, of which nothing says which it is."""
