"""A district of canaries: for any mapper, files in which no cell of a person may be told to anybody.

The files are those of a test that the mapper carries, so it takes them; each cell is exchanged for one that
is unmistakable and of the same form. What decides which row is which, and at which school, stays as it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from reconciler.mapping.carried import CarriedTest
from reconciler.mapping.library import builtin
from reconciler.mapping.model import Field, Mapper, Source

TOKEN = "canary"
PHONE = "5558835142"
"""The digits of every phone, as far as it has digits."""
BORN = ("2013-11-13", "11/13/2013", "20131113")
"""The birth date of everybody, in the form of the file."""
UNMISTAKABLE = (TOKEN, PHONE[:7], "555-883", *BORN)
"""One of these is in every cell that was exchanged."""

_STAYS = {
    "id", "student", "contact", "school", "grade", "priority", "may_pick_up", "emergency", "custody_alert",
    "status", "type", "nces_id",
}  # fmt: skip
"""Fields that decide what a row is, or that reports may have."""


def mapper_of(name: str) -> Mapper:
    found = builtin(name).mapper
    assert found
    return found


def canary_files(name: str) -> dict[str, str]:
    """The files of a built-in mapper's district, all cells of people canaries."""
    mapper = mapper_of(name)
    staying = set(_staying(mapper))
    return {file: _exchanged(text, staying) for file, text in _test_of(mapper).files.items()}


def schools_of(name: str) -> list[str]:
    """The SIS ids of the schools that the files' students are at."""
    return sorted({str(row["school"]) for row in _test_of(mapper_of(name)).expect["students"]})


def _test_of(mapper: Mapper) -> CarriedTest:
    return next(t for t in mapper.tests if t.expect.get("students") and t.expect.get("contacts"))


def _staying(mapper: Mapper) -> Iterator[str]:
    """The columns of any file that stay as they are."""
    named = {c for e, m in mapper.entities.items() for s in m.sources for c in _of_source(e, s)}
    yield from map(_bare, named)
    for file in mapper.files.values():
        for column, others in file.columns:
            if _bare(column) in {_bare(n) for n in named}:
                yield from map(_bare, others)


def _of_source(entity: str, source: Source) -> Iterator[str]:
    conditions = [*source.where, *(c for join in source.joins for c in join.where)]
    yield from (c for one in conditions if "empty" not in one.operator for c in one.columns)
    yield from (column for join in source.joins for pair in join.on for column in pair)
    yield from (c for field in source.fields if entity == "schools" or _decides(field) for c in field.columns)


def _decides(field: Field) -> bool:
    return field.name in _STAYS or bool(field.map) or field.type in ("boolean", "grade", "integer")


def _bare(column: str) -> str:
    return re.sub(r"[\W_]", "", column.rpartition(".")[2].casefold())


def _exchanged(text: str, staying: set[str]) -> str:
    delimiter = max(",\t;|", key=text.split("\n", 1)[0].count)
    header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    if {"propertyName", "value"} == set(header):
        return text
    writer.writerow(header)
    for row in rows:
        writer.writerow(
            [cell if _bare(c) in staying else _canary(cell) for c, cell in zip(header, row, strict=False)]
        )
    return out.getvalue()


def _canary(cell: str) -> str:
    """A cell of the same form."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
        return BORN[0]
    if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", cell):
        return BORN[1]
    if sum(c.isdigit() for c in cell) >= 7 and not re.search(r"[a-zA-Z]", cell):
        digits = iter(PHONE * 2)
        return re.sub(r"\d", lambda _: next(digits), cell)
    return re.sub(r"[\w.]*\w", lambda word: f"{TOKEN.title()}{word[0].lower()}", cell)
