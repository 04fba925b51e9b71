"""A mapper's files over what is known of a district's: which of them are there, with which columns."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.mapping.columns import Table, is_text_encoding, loose, wanted_columns
from reconciler.mapping.filenames import meant
from reconciler.mapping.headers import renamed
from reconciler.mapping.model import FileSpec, Mapper, Source
from reconciler.mapping.resolved import Read

MANIFEST = "manifest"
_DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """What the last sync left on record. Names that the mapper did not read are not known."""

    names: tuple[str, ...] = ()
    """Files as they are called on the server or in an archive."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File of the mapper to its columns."""
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File of the mapper to its encoding and its delimiter, in words."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a file as a whole; `kind` is one of effect.Kind."""

    kind: str
    message: str
    code: str = ""
    hint: str = ""


@dataclass(slots=True)
class Laid:
    """Both versions of a mapper laid over the known files."""

    before: dict[str, Read]
    after: dict[str, Read]
    findings: list[Finding]
    unread: frozenset[str]
    """Files of the new version that may be there, with columns that nobody has seen."""

    def is_new(self, before: Source, after: Source) -> bool:
        """Whether a source reads a file of which nothing is known, and did not before."""
        reads = {after.file, *(join.file for join in after.joins)}
        read = {before.file, *(join.file for join in before.joins)}
        return bool((reads & self.unread) - (read & self.unread)) or after.file in self.unread


def lay(old: Mapper | None, new: Mapper, known: KnownFiles) -> Laid:
    """The tables that both would read. Without an old version, a file is known by its name in the mapper."""
    before = {name: _read_before(spec, known) for name, spec in old.files.items()} if old else {}
    laid = Laid(before, {}, [], frozenset())
    unread = set()
    for name, spec in new.files.items():
        source = _known_as(spec, old, known)
        if source is None and _is_unread(spec, old, known):
            unread.add(name)
            laid.after[name] = _guessed(spec, new)
        else:
            laid.after[name] = _read_after(spec, new, known, source)
        laid.findings += _findings(spec, old, new, known, source, laid.after[name])
    laid.unread = frozenset(unread)
    return laid


def _read_before(spec: FileSpec, known: KnownFiles) -> Read:
    there = spec.name in known.columns
    return _read(spec, known.columns[spec.name], known, spec.name) if there else _absent(spec)


def _known_as(spec: FileSpec, old: Mapper | None, known: KnownFiles) -> str | None:
    """Under which name of the old version the columns of a file are on record; None: they are not."""
    names = set(_names(spec, known))
    if old is None:
        return spec.name if spec.name in known.columns and names else None
    had = [n for n, s in old.files.items() if n in known.columns and names & set(_names(s, known))]
    return spec.name if spec.name in had else next(iter(had), None)


def _is_unread(spec: FileSpec, old: Mapper | None, known: KnownFiles) -> bool:
    """Whether a file may lie on the server and was never looked at.

    A file with a name that is on record is known to be there, or, where the old version looked for it by the
    same names, known not to be.
    """
    was = old.files.get(spec.name) if old else None
    if old is None:
        return spec.name not in known.columns
    return was is None or (was.name not in known.columns and not _looks_alike(was, spec))


def _looks_alike(was: FileSpec, now: FileSpec) -> bool:
    return (was.patterns, was.excluded) == (now.patterns, now.excluded)


def _guessed(spec: FileSpec, mapper: Mapper) -> Read:
    """A file that nobody has seen, with every column that is read of it."""
    columns = tuple(sorted(wanted_columns(mapper, spec.name)))
    return Read(Table(spec.name, spec.name, columns, spec.pattern), (spec.pattern,), "never read")


def _read_after(spec: FileSpec, new: Mapper, known: KnownFiles, source: str | None) -> Read:
    """A file of the new version with the columns on record, by the names that it has for them."""
    if source is None:
        return _absent(spec)
    columns = known.columns[source]
    if spec.columns:
        listed = {column for column, _ in spec.columns}
        others = sorted(wanted_columns(new, spec.name) - listed)
        columns = renamed(columns, [*spec.columns, *((column, ()) for column in others)])
    return _read(spec, columns, known, source)


def _absent(spec: FileSpec) -> Read:
    return Read(Table(spec.name, spec.name, (), spec.pattern, absent=True), (), "")


def _read(spec: FileSpec, columns: tuple[str, ...], known: KnownFiles, source: str) -> Read:
    names = _names(spec, known)
    encoding, delimiter = (*known.formats.get(source, ()), "", "")[:2]
    # What a mapper says and what would be detected is the same reading.
    manner = (_codec(spec.encoding or encoding), _word(spec.delimiter) or delimiter, spec.several, spec.empty)
    display = names[0] if len(names) == 1 else spec.pattern
    return Read(Table(spec.name, spec.name, columns, display), tuple(names), repr(manner))


def _codec(name: str) -> str:
    return codecs.lookup(name).name.removesuffix("-sig") if is_text_encoding(name) else name


def _word(delimiter: str) -> str:
    return f"{_DELIMITERS.get(delimiter, repr(delimiter))}-delimited" if delimiter else ""


def _names(spec: FileSpec, known: KnownFiles) -> list[str]:
    return sorted(meant(spec, known.names))


# -- what is told of a file as a whole -----------------------------------------------------------------------


def _findings(
    spec: FileSpec, old: Mapper | None, new: Mapper, known: KnownFiles, source: str | None, read: Read
) -> Iterator[Finding]:
    was = old.files.get(spec.name) if old else None
    if source is None:
        yield from _not_there(spec, was, new, known, read)
        return
    yield from _header(spec, new, read, known.formats.get(source, ()))
    before = old.files.get(source) if old else None
    if before and before.columns != spec.columns:
        yield from _other_names(before, spec, new, known.columns[source], read)


def _not_there(
    spec: FileSpec, was: FileSpec | None, new: Mapper, known: KnownFiles, read: Read
) -> Iterator[Finding]:
    if was and was.name in known.columns:
        there = ", ".join(_names(was, known)[:3]) or "nothing"
        kind = "alters" if spec.optional else "fails"
        yield Finding(
            kind, f"{spec.pattern} matches no file of the last sync: {there} is no longer read",
            "" if spec.optional else "sftp.no-files", "correct the pattern, or ask the district for the file",
        )  # fmt: skip
    elif not read.table.absent and not spec.optional:
        yield Finding(
            "cannot be told", f"{spec.pattern} was not read at the last sync: nobody knows if it is there",
            hint="`plan --preview` looks",
        )  # fmt: skip
    elif not read.table.absent:
        yield Finding("cannot be told", f"{spec.pattern}, which is optional, was not read at the last sync")


def _header(spec: FileSpec, new: Mapper, read: Read, formats: tuple[str, ...]) -> Iterator[Finding]:
    """A header that the new version would not know for one."""
    word = _word(spec.delimiter)
    if word and len(formats) > 1 and formats[1] != word:
        yield Finding(
            "fails", f"{read.table.display} was {formats[1]} at the last sync, and is to be {word}",
            "csv.header",
            "leave `delimiter` out, and it is detected",
        )  # fmt: skip
    wanted = {loose(column) for column in wanted_columns(new, spec.name)}
    if wanted and not wanted & {loose(column) for column in read.table.columns}:
        yield Finding(
            "fails", f"{read.table.display} has none of the columns that are read of it", "csv.header",
            "correct the mapper's columns",
        )  # fmt: skip


def _other_names(
    before: FileSpec, now: FileSpec, new: Mapper, columns: tuple[str, ...], read: Read
) -> Iterator[Finding]:
    """Columns are on record by the name that the old version had for them: what the file says is not."""
    had = {loose(c) for c in columns}
    aliases = {loose(o) for name, others in before.columns if loose(name) in had for o in others}
    for column in sorted(wanted_columns(new, now.name)):
        others = next((o for name, o in now.columns if name == column), ())
        if read.table.find(column) is None and aliases & {loose(column), *map(loose, others)}:
            yield Finding(
                "cannot be told", f"{read.table.display}: whether {column!r} is there is not on record"
            )
    lost = [n for n, o in before.columns if loose(n) in had and set(o) - set(dict(now.columns).get(n, ()))]
    if lost:
        shown = ", ".join(map(repr, lost[:3]))
        yield Finding("cannot be told", f"{read.table.display} may call {shown} by a name that is given up")
