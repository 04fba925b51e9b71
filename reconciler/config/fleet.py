"""The whole repository: every district file and reconciler.yaml, read and checked together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.config.borrowed import check_borrowed
from reconciler.config.defaults import FILE, Defaults
from reconciler.config.district import District
from reconciler.config.district_file import DistrictFile, read_district_file
from reconciler.config.find import Found, display_name, find_district_files
from reconciler.config.fleet_checks import check_fleet
from reconciler.config.fleet_settings import load_fleet_settings
from reconciler.config.policy import FleetSettings
from reconciler.errors import Problem, UsageError


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the repository says, as far as it can be understood."""

    root: Path
    settings: FleetSettings
    districts: dict[str, District]
    """The valid ones, by id, sorted."""
    files: dict[str, str]
    """Id to file, relative to the root; refused ones too, by the stem of their file."""
    refused: dict[str, tuple[Problem, ...]]
    """Districts whose files have errors, with these: there, and not to be touched."""
    problems: tuple[Problem, ...]
    """All that was found in the files asked for, warnings too, sorted by file, line and column."""
    checked: tuple[str, ...]
    """The files asked for, reconciler.yaml included."""
    complete: bool
    """False: a folder could not be read, so a district without a file may not be taken for deleted."""


def load_fleet(root: Path, *, mappers: Collection[str] | None, only_paths: Sequence[Path] = ()) -> Fleet:
    """Read and check the repository at `root`.

    `mappers` are the names that exist; None leaves them unchecked. `only_paths` (files or folders, relative
    ones from `root`) restricts `problems` and `checked`, not what is read: checks between files need all.
    Raises ConfigError where reconciler.yaml is not valid, UsageError for a path that is not there.
    """
    root = root.resolve()
    wanted = [_inside(root, path) for path in only_paths]
    settings, warnings = load_fleet_settings(root)
    found = find_district_files(root)
    files = [_read(root, path, settings.defaults) for path in found.files]
    shared = check_fleet(files, mappers, settings.policy, settings.defaults)
    check_borrowed(files, settings.policy)
    problems = [p for p in (*warnings, *found.problems, *shared) if _wanted(root, p.file, wanted)]
    # A district's problem may stand in reconciler.yaml; whoever asks for the district is told, once.
    problems += [p for file in files if _wanted(root, file.file, wanted) for p in file.problems]
    names = [*([FILE] if (root / FILE).exists() else []), *(file.file for file in files)]
    return Fleet(
        root=root,
        settings=settings,
        districts={f.stem: f.district for f in sorted(files, key=_stem) if f.district and not f.has_errors},
        files=_files(files, found),
        refused=_refused(files, found),
        problems=tuple(sorted(dict.fromkeys(problems), key=_order)),
        checked=tuple(sorted(name for name in names if _wanted(root, name, wanted))),
        complete=found.complete,
    )


def _read(root: Path, path: Path, defaults: Defaults) -> DistrictFile:
    return read_district_file(path, file=display_name(root, path), root=root, defaults=defaults)


def _stem(file: DistrictFile) -> str:
    return file.stem


def _files(files: Sequence[DistrictFile], found: Found) -> dict[str, str]:
    by_id = {stem: problems[0].file for stem, problems in found.misnamed.items()}
    by_id |= {file.stem: file.file for file in reversed(files)}
    return dict(sorted(by_id.items()))


def _refused(files: Sequence[DistrictFile], found: Found) -> dict[str, tuple[Problem, ...]]:
    """By the file's stem, and by the id inside where no file is named so: neither is gone."""
    refused: dict[str, list[Problem]] = {}
    stems = {file.stem for file in files}
    for file in files:
        if not file.has_errors:
            continue
        declared = file.claims.get("district", file.stem)
        for name in {file.stem, declared if declared not in stems else file.stem}:
            refused.setdefault(name, []).extend(p for p in file.problems if p.severity == "error")
    for stem, problems in found.misnamed.items():
        for name in {stem, stem.lower()} - stems:
            refused.setdefault(name, []).extend(problems)
    return {name: tuple(sorted(refused[name], key=_order)) for name in sorted(refused)}


def _inside(root: Path, path: Path) -> Path:
    """An absolute path below `root`. Raises UsageError."""
    full = (root / path).resolve()
    if not full.exists():
        raise UsageError(f"{path} does not exist", hint="check the path")
    if not full.is_relative_to(root):
        raise UsageError(f"{path} is not in the repository {root}", hint="name its root with -C DIR")
    return full


def _wanted(root: Path, file: str, wanted: Sequence[Path]) -> bool:
    return not wanted or any((root / file).is_relative_to(path) for path in wanted)


def _order(problem: Problem) -> tuple[str, int, int, str, str]:
    return problem.file, problem.line, problem.column, problem.path, problem.message
