"""Runs the tests that a mapper carries, through the same reading and judging as a district's files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import ReconcilerError, RosterError
from reconciler.mapping.carried import CarriedTest, Row, mistakes_in_tests
from reconciler.mapping.entities import ENTITIES, RIGHTS
from reconciler.mapping.filenames import may_be_meant
from reconciler.mapping.model import Mapper
from reconciler.roster.delta import Reject, RemoteFile, RowCounts
from reconciler.roster.reading.series import choice_notices
from reconciler.roster.reading.tables import choose_files
from reconciler.roster.roster import Roster
from reconciler.roster.workspace import workspace

Step = str | int

_MADE_ID = re.compile(r"c-[0-9a-f]{32}")
_MADE = {"contacts": "id", "relationships": "contact"}
"""The fields that may hold an id of our own making."""
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Failure:
    """What a carried test saw, at a path of the mapper's document."""

    path: tuple[Step, ...]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of a test's files."""

    rows: Mapping[str, list[Row]]
    """Entity to its taken rows: only the fields that say something."""
    counts: Mapping[str, RowCounts]
    rejects: Sequence[Reject]
    notices: Sequence[str]


def run_carried_tests(mapper: Mapper) -> list[Failure]:
    """Every failure of every test, in the order of the document; empty where all hold. Never raises."""

    def is_read(name: str) -> bool:
        return any(may_be_meant(spec, name) for spec in mapper.files.values())

    found = [Failure(*mistake) for mistake in mistakes_in_tests(mapper.tests, is_read)]
    wrong = {failure.path[1] for failure in found}
    for index, test in enumerate(mapper.tests):
        if index not in wrong:
            found += _run(mapper, test, ("tests", index))
    return found


def _run(mapper: Mapper, test: CarriedTest, path: tuple[Step, ...]) -> list[Failure]:
    try:
        with workspace() as folder:
            seen = _see(mapper, test, folder)
    except ReconcilerError as error:
        return [Failure(path, f"{test.name}: {error.message} [{error.code}]", error.hint)]
    found = [*_differences(test, seen, path), *_wrong_counts(test, seen, path), *_unsaid(test, seen, path)]
    return [Failure(f.path, f"{test.name}: {f.message}", f.hint) for f in found]


def _see(mapper: Mapper, test: CarriedTest, folder: Path) -> _Seen:
    """Map the test's files. Each counts as uploaded one second after the one before it."""
    local: dict[str, Path] = {}
    for number, (name, text) in enumerate(test.files.items()):
        local[name] = folder / f"file-{number}"
        local[name].write_bytes(_encoded(mapper, name, text))
    available = [RemoteFile(name, len(test.files[name]), float(i + 1)) for i, name in enumerate(test.files)]
    chosen = choose_files(mapper, available)
    files = {key: [(f.name, local[f.name]) for f in found] for key, found in chosen.items()}
    with Roster(mapper, files, folder) as roster:
        counts = roster.resolve(None)
        rows = {e: [_spoken(row, e) for row in roster.rows(e)] for e in test.expect}
        notices = (*choice_notices(mapper, available), *roster.notices)
        return _Seen(rows, counts, roster.rejects(), notices)


def _encoded(mapper: Mapper, name: str, text: str) -> bytes:
    """A file's bytes in the encoding in which the mapper reads files of this name. Raises RosterError."""
    declared = (s.encoding for s in mapper.files.values() if s.encoding and may_be_meant(s, name))
    encoding = next(declared, "utf-8")
    try:
        return text.encode(encoding)
    except UnicodeError:
        raise RosterError(
            f"{name} holds a character that {encoding} does not have",
            code="csv.encoding",
            hint="the mapper declares that encoding; leave the character out of the test",
        ) from None


def _spoken(row: Mapping[str, str | None], entity: str) -> Row:
    """A row without the fields that say nothing, so that it can be held against one that leaves them out."""
    return {f: row.get(f) or "" for f in ENTITIES[entity].fields if row.get(f) not in (None, "", _silence(f))}


def _silence(field: str) -> str:
    """What a field holds of which nothing is said."""
    return "unknown" if field in RIGHTS else ""


# -- rows ----------------------------------------------------------------------------------------------------


def _differences(test: CarriedTest, seen: _Seen, path: tuple[Step, ...]) -> Iterator[Failure]:
    """The expected rows that are not there, each with the row that is meant by it, then the unexpected."""
    for entity, expected in test.expect.items():
        wanted = {number: _spoken(row, entity) for number, row in enumerate(expected)}
        left = list(seen.rows[entity])
        for number, row in sorted(wanted.items(), key=lambda item: _MADE.get(entity) not in item[1]):
            same = next((one for one in left if _differing(row, one, entity) == []), None)
            if same is not None:
                left.remove(same)
                del wanted[number]
        for number, row in wanted.items():
            yield _explained(entity, row, left, (*path, "expect", entity, number))
        for one in left:
            yield Failure((*path, "expect", entity), f"{entity}: no such row is expected: {_shown(one)}")


def _explained(entity: str, row: Row, left: list[Row], path: tuple[Step, ...]) -> Failure:
    """Why an expected row is not there; the row that was meant by it, if any, is taken out of `left`."""
    near = min(left, key=lambda one: _distance(row, one, entity), default=None)
    if near is None or not _is_meant(row, near, entity):
        return Failure(path, f"{entity}: there is no such row: {_shown(row)}")
    left.remove(near)
    told = [
        f"{field} is {_shown(near.get(field, _silence(field)))}, "
        f"expected {_shown(row.get(field, _silence(field)))}"
        for field in _differing(row, near, entity)
    ]
    return Failure(path, f"{entity} {_key(row, entity)}: {'; '.join(told)}")


def _differing(row: Row, other: Row, entity: str) -> list[str]:
    """The fields in which a row is not as expected, in the entity's order."""
    made = _MADE.get(entity, "")
    free = made if made not in row and _MADE_ID.fullmatch(other.get(made, "")) else ""
    fields = ENTITIES[entity].fields
    return [f for f in fields if f != free and row.get(f, "") != other.get(f, "")]


def _distance(row: Row, other: Row, entity: str) -> tuple[int, int]:
    differing = _differing(row, other, entity)
    return len(set(differing) & set(ENTITIES[entity].key)), len(differing)


def _is_meant(row: Row, other: Row, entity: str) -> bool:
    """Whether two rows are of one person: the same key, or few differences beside what they share."""
    differing = set(_differing(row, other, entity))
    shared = sum(1 for field in row if field not in differing)
    return shared > 0 and (not differing & set(ENTITIES[entity].key) or len(differing) <= shared)


def _key(row: Row, entity: str) -> str:
    """What names a row: its key, or the first thing that it says."""
    named = [row[k] for k in ENTITIES[entity].key if k in row] or list(row.values())[:1]
    return _shown(" ".join(named))


# -- counts and notices --------------------------------------------------------------------------------------


def _wrong_counts(test: CarriedTest, seen: _Seen, path: tuple[Step, ...]) -> Iterator[Failure]:
    for entity in dict.fromkeys([*test.expect, *test.rejected]):
        wanted, got = test.rejected.get(entity, 0), seen.counts[entity].rejected
        if wanted != got:
            reasons = {f"{r.file}:{r.row} {r.reason}" for r in seen.rejects if r.entity == entity}
            hint = _few(sorted(reasons)) or "the lines of the file cannot be read"
            message = f"{entity}: {got} rejected, expected {wanted}"
            yield Failure((*path, "rejected", entity), message, hint if got else "")


def _unsaid(test: CarriedTest, seen: _Seen, path: tuple[Step, ...]) -> Iterator[Failure]:
    for number, text in enumerate(test.notices):
        if not any(text in notice for notice in seen.notices):
            said = f"said was: {_few(seen.notices)}" if seen.notices else "there was no notice"
            yield Failure((*path, "notices", number), f"no notice says {_shown(text)}", said)


def _few(texts: Iterable[str]) -> str:
    return "; ".join(list(texts)[:5])


def _shown(value: str | Row) -> str:
    """A text or a row in quotes, its control characters escaped."""
    if isinstance(value, str):
        return repr(value if len(value) <= _MAX_SHOWN else f"{value[:_MAX_SHOWN]}…")
    return ", ".join(f"{field} {_shown(text)}" for field, text in value.items()) or "an empty one"
