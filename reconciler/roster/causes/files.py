"""Causes in the files themselves: a part is missing, the end is cut off, columns or the format differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.mapping.columns import loose
from reconciler.mapping.entities import ENTITIES
from reconciler.mapping.sql import name
from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import Evidence

_IDENTIFYING = ("id", "student", "contact", "name", "first_name", "last_name", "phone", "phone_2", "email")
"""The fields that a contact's id may be made from, and the keys of the other entities."""
_FEWEST = 4
"""Sampled rows that say where in its file the missing ones stood."""


def part_missing(evidence: Evidence) -> Cause | None:
    """A file of several that are read as one was there at the last sync, and is not now."""
    before, now = evidence.around.before.files, evidence.around.now.files
    gone = sorted({f.name for f in before} - {f.name for f in now})
    if not gone or len(now) >= len(before):
        return None
    return Cause("file-missing", f"{', '.join(gone[:3])} was there at the last sync and is not now")


def cut(evidence: Evidence) -> Cause | None:
    """The rows that are missing are the last ones of the file, and hardly one before them is."""
    digests = set(evidence.rows(f"SELECT {row_digest(evidence.entity)} FROM lost"))
    missing = [(digest,) in digests for digest in evidence.around.before.order.get(evidence.entity, ())]
    count = sum(missing)
    tail = missing[len(missing) - count :]
    elsewhere = count - sum(tail)
    if count < _FEWEST or count == len(missing) or elsewhere > 0.15 * count:
        return None
    if elsewhere > 0.2 * (len(missing) - count):
        return None
    share = 100 * evidence.total / evidence.count(f"SELECT count(*) FROM was_{evidence.entity}")
    shrunk = ", ".join(_shrunk(evidence))
    return Cause(
        "upload-cut",
        f"an upload that was cut: the {evidence.entity} rows that are missing are the last {share:.0f} % "
        f"of the file{'; ' + shrunk if shrunk else ''}",
    )


def row_digest(entity: str) -> str:
    """A few letters that stand for a row's key, so that its place in the file can be kept without it."""
    keys = ", ".join(name(k) for k in ENTITIES[entity].key)
    return f"left(md5(concat_ws(chr(31), {keys})), 8)"


def _shrunk(evidence: Evidence) -> Iterable[str]:
    sizes = {f.name: f.size for f in evidence.around.before.files}
    for file in evidence.around.now.files:
        old = sizes.get(file.name, 0)
        if old and file.size < 0.9 * old:
            yield f"{file.name} is {100 - 100 * file.size / old:.0f} % smaller than at the last sync"


def columns_of_keys(evidence: Evidence) -> Cause | None:
    """Columns that an id is read or made from came or went, and as many rows came as went."""
    if not evidence.is_most(evidence.count("SELECT count(*) FROM came")):
        return None
    fields = _IDENTIFYING if evidence.entity != "students" else ("id",)
    return _header_changed(evidence, fields, f"{evidence.total} ids differ")


def columns_of_changed_fields(evidence: Evidence) -> Cause | None:
    """Columns that feed the changed fields came or went."""
    counts = changed_fields(evidence)
    fields = [field for field, rows in counts if evidence.is_most(rows)]
    return _header_changed(evidence, fields, f"{', '.join(fields)} changed in most rows")


def changed_fields(evidence: Evidence) -> list[tuple[str, int]]:
    """Each stored column with the number of changed rows in which it differs, most first."""
    columns = [c for c in ENTITIES[evidence.entity].columns if c not in ENTITIES[evidence.entity].key]
    counted = ", ".join(
        f"count(*) FILTER ({name('w_' + c)} IS DISTINCT FROM {name('n_' + c)})" for c in columns
    )
    found = zip(columns, evidence.row(f"SELECT {counted} FROM changed"), strict=True)
    return sorted(((c, n) for c, n in found if n), key=lambda pair: -pair[1])


def _header_changed(evidence: Evidence, fields: Sequence[str], effect: str) -> Cause | None:
    read = {loose(c) for s in evidence.sources for f in s.fields if f.name in fields for c in f.columns}
    said = []
    for file in dict.fromkeys(s.file for s in evidence.sources):
        before = evidence.around.before.columns.get(file, ())
        now = evidence.around.now.columns.get(file, ())
        if not before or not now:
            continue
        came = [c for c in now if loose(c) in read - {loose(b) for b in before}]
        went = [c for c in before if loose(c) in read - {loose(n) for n in now}]
        said += [f"{evidence.display(file)} has the new column {c!r}" for c in came]
        said += [f"{evidence.display(file)} no longer has the column {c!r}" for c in went]
    return Cause("header-changed", f"the header: {', '.join(said)}, and {effect}") if said else None


def other_format(evidence: Evidence) -> Cause | None:
    """The entity's file comes with another delimiter, or in a Unicode encoding where it was none."""
    changes = [words for words, is_certain in _format_changes(evidence) if is_certain]
    return Cause("format-changed", f"the format of the export: {', '.join(changes)}") if changes else None


def format_changes(evidence: Evidence) -> list[str]:
    """How the entity's files are read otherwise than at the last sync, in words."""
    return [words for words, _ in _format_changes(evidence)]


def _format_changes(evidence: Evidence) -> list[tuple[str, bool]]:
    """The same, and whether it is another format for certain.

    A file in Windows-1252 is read as UTF-8 on a day on which no name in it has an accent.
    """
    before, now = evidence.around.before.formats, evidence.around.now.formats
    files = dict.fromkeys(s.file for s in evidence.sources)
    return [
        (
            f"{evidence.display(file)} was {' and '.join(before[file])}, is {' and '.join(now[file])}",
            before[file][1:] != now[file][1:] or {before[file][0], now[file][0]} != {"utf-8", "cp1252"},
        )
        for file in files
        if file in before and file in now and before[file] != now[file]
    ]
