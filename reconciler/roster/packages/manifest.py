"""OneRoster's manifest.csv: of each file of a package, whether it is all, changes only, or not there.

Its rows are pairs of propertyName and value; `file.users,delta` is one. The words are read whatever their
case; what else it says (versions, the source's name) decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reconciler.errors import RosterError
from reconciler.mapping.model import FileSpec, Mapper
from reconciler.roster.database import open_database, told
from reconciler.roster.reading.tables import MANIFEST, LoadedFile, load_file

COLUMNS = frozenset({"propertyName", "value"})
_PREFIX = "file."

LocalFiles = Mapping[str, Sequence[tuple[str, Path]]]
"""For each file of the mapper: pairs of the name on the server and the local path."""


class Mode(StrEnum):
    """What a file of a package is."""

    BULK = "bulk"
    """The whole truth: a row that is not in it is gone."""
    DELTA = "delta"
    """Changes only."""
    ABSENT = "absent"
    """Nothing is said today."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package's manifest says of the files that the mapper reads."""

    modes: Mapping[str, Mode]
    """By the file's name in the mapper; a file that the manifest does not list is not here."""
    says_nothing: bool = False
    """Every file is absent: the package says that nothing has changed."""


def read_manifest(mapper: Mapper, files: LocalFiles, scratch: Path) -> Manifest | None:
    """The manifest among a district's files; None where there is none, or the mapper knows of none.

    Raises RosterError csv.manifest where it does not make sense, and what `load_file` raises.
    """
    if MANIFEST not in mapper.files or not files.get(MANIFEST):
        return None
    db = open_database(scratch)
    try:
        with told("while manifest.csv was read"):
            loaded = load_file(db, mapper.files[MANIFEST], MANIFEST, files[MANIFEST], set(COLUMNS), scratch)
            name, value = (loaded.table.find(c) for c in ("propertyName", "value"))
            if name is None or value is None:
                raise _nonsense(loaded, "it has not both of the columns propertyName and value")
            rows = db.execute(f"SELECT c{name}, coalesce(c{value}, '') FROM {MANIFEST} WHERE c{name} <> ''")
            said = _said(loaded, rows.fetchall())
    finally:
        db.close()
    others = {file: spec for file, spec in mapper.files.items() if file != MANIFEST}
    modes = {file: _mode(loaded, spec, files.get(file, ()), said) for file, spec in others.items()}
    silent = (
        modes[f] is Mode.ABSENT or (modes[f] is None and spec.optional and not files.get(f))
        for f, spec in others.items()
    )
    return Manifest({file: mode for file, mode in modes.items() if mode}, all(silent))


def _said(loaded: LoadedFile, rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The word for each file, both in lower case; an empty word says nothing."""
    for broken in (b for p in loaded.parsed for b in p.broken):
        if broken.cells and broken.cells[0].casefold().startswith(_PREFIX):
            raise _nonsense(loaded, f"line {broken.line} cannot be read")
    said: dict[str, str] = {}
    for name, word in rows:
        file = name.casefold().removeprefix(_PREFIX).removesuffix(".csv")
        if not name.casefold().startswith(_PREFIX) or not word:
            continue
        if said.setdefault(file, word.casefold()) != word.casefold():
            raise _nonsense(loaded, f"it says of {name} both {said[file]} and {word.casefold()}")
    return said


def _mode(
    loaded: LoadedFile, spec: FileSpec, there: Sequence[tuple[str, Path]], said: Mapping[str, str]
) -> Mode | None:
    word = next((said[n] for n in _names(spec, there) if n in said), None)
    if word is None:
        return None
    try:
        return Mode(word)
    except ValueError:
        message = f"it says that {spec.pattern} is {word!r}, which is none of bulk, delta and absent"
        raise _nonsense(loaded, message) from None


def _names(spec: FileSpec, there: Sequence[tuple[str, Path]]) -> Iterator[str]:
    """What the manifest may call a file: as it is named on the server, by the pattern, or by the mapper."""
    for text in (*(display for display, _ in there), spec.pattern, spec.name):
        yield text.casefold().removesuffix(".csv")


def _nonsense(loaded: LoadedFile, what: str) -> RosterError:
    return RosterError(
        f"{loaded.table.display} cannot be followed: {what}",
        code="csv.manifest",
        hint="ask the district to correct it; nothing was changed",
    )
