"""Runs a mapper over files written for one test, and keeps everything that came of it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.mapping.check import findings
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.library import builtin
from reconciler.mapping.model import Mapper
from reconciler.mapping.parse import parse_mapper
from reconciler.roster.delta import Reject, RemoteFile, RowCounts, SisSchool
from reconciler.roster.reading.tables import choose_files
from reconciler.roster.roster import Roster

Stored = dict[str, dict[tuple[str, ...], tuple[str, bool]]]
"""Entity to key to (row_hash, active): what a store would hold."""


@dataclass(frozen=True)
class Outcome:
    """One resolved roster, read out."""

    counts: Mapping[str, RowCounts]
    rows: Mapping[str, list[dict[str, Any]]]
    rejects: list[Reject]
    blocked: Mapping[str, str]
    upserts: Mapping[str, list[tuple[Any, ...]]]
    removals: Mapping[str, list[tuple[str, ...]]]
    schools: list[SisSchool]
    notices: tuple[str, ...]
    before: Stored = field(default_factory=dict)

    @property
    def students(self) -> list[dict[str, Any]]:
        return self.rows["students"]

    @property
    def contacts(self) -> list[dict[str, Any]]:
        return self.rows["contacts"]

    def ids(self, entity: str = "students") -> list[str]:
        """The keys of the taken rows; those of relationships as `student-contact`."""
        return ["-".join(row[k] for k in ENTITIES[entity].key) for row in self.rows[entity]]

    def removed(self, entity: str = "students") -> list[str]:
        return ["-".join(key) for key in self.removals[entity]]

    def rejected(self) -> list[tuple[str, int, str, str]]:
        """(entity, row, code, column) of each reject."""
        return [(r.entity, r.row, r.code, r.column) for r in self.rejects]

    def stored(self) -> Stored:
        """What a store holds after these deltas were written."""
        after: Stored = {entity: dict(self.before.get(entity, {})) for entity in STORED}
        for entity in STORED:
            width = len(ENTITIES[entity].key)
            after[entity].update({row[:width]: (row[-1], True) for row in self.upserts[entity]})
            for key in self.removals[entity]:
                after[entity][key] = (after[entity][key][0], False)
        return after


def make_mapper(document: Mapping[str, Any] | str) -> Mapper:
    """A built-in mapper by its name, or one from its document, which must be free of mistakes."""
    if isinstance(document, str):
        loaded = builtin(document)
        assert loaded.mapper, loaded.problems
        return loaded.mapper
    mapper = parse_mapper(json.loads(json.dumps(document)))
    assert not findings(mapper)
    return mapper


@contextmanager
def open_roster(mapper: Mapper, files: Mapping[str, str | bytes], **options: Any) -> Any:
    """A Roster over files with this content, chosen by the mapper's patterns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        available = [RemoteFile(file, len(content), 0) for file, content in files.items()]
        chosen = choose_files(mapper, available)
        local = {k: [(f.name, folder / f.name) for f in found] for k, found in chosen.items()}
        scratch = folder / "scratch"
        scratch.mkdir()
        with Roster(mapper, local, scratch, **options) as roster:
            yield roster


def resolve(
    document: Mapping[str, Any] | str | Mapper,
    files: Mapping[str, str | bytes],
    *,
    before: Stored | None = None,
    mapping: Mapping[str, str] | None = None,
    known_files: Iterable[str] = (),
    known_schools: Iterable[SisSchool] = (),
) -> Outcome:
    """Run a mapper over files, compare the rows with those stored `before`, and read everything out."""
    mapper = document if isinstance(document, Mapper) else make_mapper(document)
    old = before or {}

    with open_roster(mapper, files) as roster:
        counts = roster.resolve(
            mapping,
            stored=lambda entity: stored_csv(old, entity),
            known_files=known_files,
            known_schools=known_schools,
        )
        deltas = {d.entity: d for d in roster.deltas()}
        return Outcome(
            counts=counts,
            rows={e: list(roster.rows(e)) if counts[e].read else [] for e in ENTITIES},
            rejects=roster.rejects(),
            blocked=roster.blocked(),
            upserts={e: list(d.upserts()) for e, d in deltas.items()},
            removals={e: list(d.removals()) for e, d in deltas.items()},
            schools=roster.schools(),
            notices=roster.notices,
            before=old,
        )


def stored_csv(rows: Stored, entity: str) -> Iterator[bytes]:
    """The stored rows of an entity as a store hands them over."""
    for key, (row_hash, is_active) in rows.get(entity, {}).items():
        yield as_csv((*key, row_hash, "t" if is_active else "f"))


def as_csv(row: Iterable[str]) -> bytes:
    """A stored row as a store hands it over."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(row)
    return line.getvalue().encode()


def simple_mapper(**entities: Any) -> dict[str, Any]:
    """A mapper document over `students.csv` (named `students`) with these entities."""
    files = {
        "students": {"pattern": "students.csv"},
        "extra": {"pattern": "extra.csv", "optional": True},
    }
    students = {
        "from": "students",
        "fields": {"id": "id", "school": "school", "first_name": "first", "last_name": "last"},
    }
    return {"name": "simple", "files": files, "entities": {"students": students} | entities}
