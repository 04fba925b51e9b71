"""Which mapper a folder of files is meant for: each one held against the headers. Pure: names in, scores out.

The score is the mean of three shares, in percent: of the fields that the mapper can fill, those that these
files fill, by half where the column goes by another name than the mapper's own; of the columns that the files
have, those that it reads; and of the names of columns that it knows, those that are there, since a mapper
that knows thousands of names can read nearly anything. Only a mapper that can read the files at all is
proposed, and none of several that score alike.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from reconciler.errors import MapperError, RosterError
from reconciler.mapping.columns import Table, loose, placeholders, split_alias, wanted_columns
from reconciler.mapping.compile import compile_source
from reconciler.mapping.filenames import meant
from reconciler.mapping.headers import renamed
from reconciler.mapping.model import FileSpec, Mapper, Source

Headers = Mapping[str, Sequence[str]]
"""The columns of each file, by the file's name."""

_MANIFEST = "manifest"
_ALIKE = 2
"""Points by which two scores may differ and still be a tie."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a mapper fits the files."""

    mapper: str
    score: int
    """0 to 100."""
    reads: bool
    """Everything that it cannot do without is there."""
    found: int
    """Fields of ours that the files fill, of `wanted` that the mapper can fill."""
    wanted: int
    files: tuple[str, ...]
    """The files that it reads."""
    missing: tuple[str, ...]
    """What it cannot do without, in words."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.mapper, "score": self.score, "reads": self.reads,
            "fields": {"found": self.found, "wanted": self.wanted},
            "files": list(self.files), "missing": list(self.missing),
        }  # fmt: skip


def fits(mappers: Iterable[Mapper], headers: Headers) -> list[Fit]:
    """Every mapper, the best first: those that can read the files, by score, then the others."""
    return sorted((_fit(m, headers) for m in mappers), key=lambda f: (not f.reads, -f.score, f.mapper))


def proposed(found: Sequence[Fit]) -> list[str]:
    """The mapper to propose; several where they tie, none where none can read the files."""
    best = [f for f in found if f.reads]
    return [f.mapper for f in best if f.score >= best[0].score - _ALIKE]


def _fit(mapper: Mapper, headers: Headers) -> Fit:
    tables = {name: _table(mapper, spec, headers) for name, spec in mapper.files.items()}
    own = {name: _table(mapper, spec, headers, own=True) for name, spec in mapper.files.items()}
    columns = _columns(tables)
    wanted, found = _fields(mapper, columns)
    _, exactly = _fields(mapper, _columns(own))
    known = {n: {loose(c) for c in wanted_columns(mapper, n)} for n, t in tables.items() if not t.absent}
    read = sum(len(columns[n] & names) for n, names in known.items())
    shares = (
        _share(len(found) + len(exactly), 2 * len(wanted)),
        _share(read, sum(len([c for c in header if c]) for header in headers.values())),
        _share(read, sum(len(names) for names in known.values())),
    )
    missing = tuple(dict.fromkeys(_missing(mapper, tables)))
    files = tuple(sorted(t.display for t in tables.values() if not t.absent))
    score = round(100 * sum(shares) / len(shares))
    return Fit(mapper.name, score, not missing, len(found), len(wanted), files, missing)


def _share(part: int, whole: int) -> float:
    return min(part / whole, 1) if whole else 0


def _columns(tables: Mapping[str, Table]) -> dict[str, set[str]]:
    return {name: {loose(c) for c in table.columns if c} for name, table in tables.items()}


def _fields(mapper: Mapper, columns: Mapping[str, Collection[str]]) -> tuple[set[str], set[str]]:
    """The fields that are made of columns, and those of them for which a column is there."""
    wanted: set[str] = set()
    found: set[str] = set()
    for source in (s for e in mapper.entities.values() for s in e.sources):
        files = {join.alias: join.file for join in source.joins}
        for field in source.fields:
            named = [*field.columns, *placeholders(field.template or "")]
            name = f"{source.path.partition('[')[0]}.{field.name}"
            wanted |= {name} if named else set()
            if any(_is_there(column, source.file, files, columns) for column in named):
                found.add(name)
    return wanted, found


def _is_there(
    column: str, file: str, joined: Mapping[str, str], columns: Mapping[str, Collection[str]]
) -> bool:
    alias, rest = split_alias(column, joined)
    return loose(column) in columns[file] or bool(alias and loose(rest) in columns[joined[alias]])


def _table(mapper: Mapper, spec: FileSpec, headers: Headers, *, own: bool = False) -> Table:
    """The table that a file would become; `own`: only columns that have the mapper's own names."""
    names = sorted(meant(spec, headers))
    if not names:
        return Table(spec.name, spec.name, (), spec.pattern, absent=True)
    header = headers[names[-1]]  # of a dated series, most likely the newest
    others = {column: () if own else names for column, names in spec.columns}
    known = {**others, **{c: () for c in sorted(wanted_columns(mapper, spec.name)) if c not in others}}
    columns = renamed(header, known.items()) if spec.columns else tuple(header)
    return Table(spec.name, spec.name, columns, names[-1])


def _missing(mapper: Mapper, tables: Mapping[str, Table]) -> Iterator[str]:
    packaged = _MANIFEST in tables and not tables[_MANIFEST].absent
    for name, table in tables.items():
        if table.absent and not mapper.files[name].optional and not packaged:
            yield f"a file {(mapper.files[name].patterns or (table.display,))[0]}"
    for entity, spec in mapper.entities.items():
        is_read = yield from _unread(entity, spec.sources, tables)
        if entity == "students" and not is_read:
            yield "the students"


def _unread(
    entity: str, sources: Sequence[Source], tables: Mapping[str, Table]
) -> Generator[str, None, bool]:
    """What keeps the sources of an entity from being read; returns whether any can be."""
    is_read = any_read = False
    for _, repeated in groupby(sources, key=lambda s: s.path):
        parts = list(repeated)
        if parts[0].instead and is_read:
            continue
        try:
            queries = [compile_source(part, entity, tables) for part in parts]
            is_read = any(queries)
        except (MapperError, RosterError) as error:
            is_read = False
            yield error.message.split(", which ")[0]
        any_read = any_read or is_read
    return any_read
