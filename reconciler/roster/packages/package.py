"""A package of files under OneRoster's manifest: each file loaded as the manifest says it is meant.

bulk     the file alone
delta    the rows kept of earlier packages, with the file's rows written over them
absent   the rows kept of earlier packages alone, whatever file lies there
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from reconciler.errors import RosterError
from reconciler.mapping.columns import Table
from reconciler.mapping.model import FileSpec
from reconciler.roster.packages.base import bring_back
from reconciler.roster.packages.change import change_by
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.packages.manifest import Manifest, Mode
from reconciler.roster.reading.tables import LoadedFile, no_file

Load = Callable[[str, Sequence[tuple[str, Path]]], LoadedFile]
"""Reads today's files as the table of this name."""
_BULK_FIRST = "ask the district for a bulk export first; deltas can follow it"


@dataclass(frozen=True, slots=True)
class Package:
    """What a manifest says of today's files, and what is known of the files before them."""

    manifest: Manifest
    kept: Mapping[str, KeptFile] | None = None
    """By the file's name in the mapper. None, for a folder on its own: every file is read as it is."""
    waived: bool = False
    """A person lets this package through as it is."""

    def mode(self, file: str) -> Mode | None:
        """None for a file that the manifest does not list."""
        return self.manifest.modes.get(file)


def load_packaged(
    db: duckdb.DuckDBPyConnection,
    spec: FileSpec,
    sql_name: str,
    files: Sequence[tuple[str, Path]],
    wanted: Collection[str],
    scratch: Path,
    package: Package,
    load: Load,
) -> LoadedFile:
    """One file of the mapper as the table `sql_name`, read as the manifest says.

    Raises RosterError csv.manifest where manifest and files do not agree, or nothing is known that a delta
    could be a change of; else what `load_file` raises.
    """
    mode, kept = package.mode(spec.name), (package.kept or {}).get(spec.name)
    if mode is Mode.ABSENT and package.kept is not None:
        return _absent(db, spec, sql_name, files, wanted, scratch, kept)
    if not files:
        return _missing(spec, sql_name, mode)
    if mode is Mode.DELTA and package.kept is not None:
        return _delta(db, spec, sql_name, files, wanted, scratch, kept, load, waived=package.waived)
    loaded = load(sql_name, files)
    if kept and kept.rows and not loaded.rows and not package.waived:
        raise _emptied(loaded, kept)
    return _noted(loaded, _remark(loaded, mode))


def _missing(spec: FileSpec, sql_name: str, mode: Mode | None) -> LoadedFile:
    """A file that is not there, and may not be: only where the manifest is silent, or says so."""
    if mode in (Mode.BULK, Mode.DELTA):
        raise RosterError(
            f"manifest.csv says that {spec.pattern} is {mode}, and there is no such file",
            code="csv.manifest",
            hint="its upload may have failed: ask the district to send the whole package; nobody was removed",
        )
    if not spec.optional:
        raise no_file(spec, ["manifest.csv"])
    return _nothing(spec, sql_name)


def _absent(
    db: duckdb.DuckDBPyConnection,
    spec: FileSpec,
    sql_name: str,
    files: Sequence[tuple[str, Path]],
    wanted: Collection[str],
    scratch: Path,
    kept: KeptFile | None,
) -> LoadedFile:
    if kept is None and not spec.optional:
        raise RosterError(
            f"manifest.csv says that {spec.pattern} is absent, and no rows of it are known yet",
            code="csv.manifest",
            hint=f"{_BULK_FIRST}; nothing was changed",
        )
    loaded = _nothing(spec, sql_name)
    if files:
        loaded = _noted(loaded, f"{files[0][0]} was not read: manifest.csv says that it is absent")
    return bring_back(db, loaded, kept, wanted, scratch) if kept else loaded


def _delta(
    db: duckdb.DuckDBPyConnection,
    spec: FileSpec,
    sql_name: str,
    files: Sequence[tuple[str, Path]],
    wanted: Collection[str],
    scratch: Path,
    kept: KeptFile | None,
    load: Load,
    *,
    waived: bool,
) -> LoadedFile:
    display = files[0][0]
    if not spec.key:
        raise RosterError(
            f"manifest.csv says that {display} is a delta, and the mapper names no key for it",
            code="csv.manifest",
            hint='name the column that identifies a row in the mapper, "key": "…" beside the pattern',
        )
    if kept is None:
        raise RosterError(
            f"manifest.csv says that {display} is a delta, and no rows are known that it could change",
            code="csv.manifest",
            hint=f"{_BULK_FIRST}; nothing was changed",
        )
    delta = load(f"{sql_name}_delta", files)
    return change_by(db, delta, sql_name, kept, wanted, scratch, may_lose_columns=waived)


def _emptied(loaded: LoadedFile, kept: KeptFile) -> RosterError:
    return RosterError(
        f"{loaded.table.display} has no rows, and manifest.csv says that it is all; {kept.rows} were known",
        code="csv.empty",
        hint="ask the district whether its export failed; nobody was removed",
    )


def _remark(loaded: LoadedFile, mode: Mode | None) -> str:
    display = loaded.table.display
    if mode is None:
        return f"{display} is not listed in manifest.csv; it is read as all of its rows"
    if mode is Mode.BULK:
        return ""
    return (
        f"manifest.csv says that {display} is {mode}; there are no earlier rows here, so it is read as it is"
    )


def _noted(loaded: LoadedFile, remark: str) -> LoadedFile:
    return replace(loaded, notices=(*loaded.notices, remark)) if remark else loaded


def _nothing(spec: FileSpec, sql_name: str) -> LoadedFile:
    return LoadedFile(spec, Table(spec.name, sql_name, (), spec.pattern, absent=True))
