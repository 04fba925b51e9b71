"""The whole repository: every district file and reconciler.yaml, read and checked together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path

from reconciler.config.borrowed import check_borrowed
from reconciler.config.collecting import no_collecting
from reconciler.config.defaults import FILE, Defaults
from reconciler.config.district import District
from reconciler.config.district_file import DistrictFile
from reconciler.config.districts import Districts, Late
from reconciler.config.find import Found
from reconciler.config.fingerprint import Fingerprints
from reconciler.config.fleet_checks import check_fleet
from reconciler.config.fleet_settings import load_fleet_settings
from reconciler.config.known import Known, Memory, Recall, doubts, known_of, recalled
from reconciler.config.listed import Listed
from reconciler.config.policy import FleetSettings
from reconciler.config.reading import read_all
from reconciler.config.source import Source, fetch
from reconciler.errors import Problem, UsageError


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the repository says, as far as it can be understood."""

    root: Path
    settings: FleetSettings
    districts: Mapping[str, District]
    """The valid ones, by id, sorted; each is made of its file when it is asked for."""
    fingerprints: Mapping[str, str]
    """Of the files of the valid ones, by id; links and what else is read with care have none."""
    known: Memory
    """What to remember of these files, by fingerprint."""
    files: Mapping[str, str]
    """Id to file, relative to the root; refused ones too, by the stem of their file."""
    refused: dict[str, tuple[Problem, ...]]
    """Districts whose files have errors, with these: there, and not to be touched."""
    problems: tuple[Problem, ...]
    """All that was found in the files asked for, warnings too, sorted by file, line and column."""
    checked: tuple[str, ...]
    """The files asked for, reconciler.yaml included."""
    complete: bool
    """False: a folder could not be read, so a district without a file may not be taken for deleted."""


def load_fleet(
    root: Path,
    *,
    mappers: Collection[str] | None,
    only_paths: Sequence[Path] = (),
    memories: Sequence[Recall] = (),
    listed: Listed | None = None,
) -> Fleet:
    """Read and check the repository at `root`.

    `mappers` are the names that exist; None leaves them unchecked. `only_paths` (files or folders, relative
    ones from `root`) restricts `problems` and `checked`, not what is read: checks between files need all.
    `memories` are asked for files that were read before, the first one first; the answer is the same without.
    `listed`: the repository's files, where somebody has begun to hash them.
    Raises ConfigError where reconciler.yaml is not valid, UsageError for a path that is not there.
    """
    with no_collecting():
        try:
            return _load(root.resolve(), mappers, only_paths, memories, listed)
        finally:
            if listed:
                listed.close()


def _load(
    root: Path,
    mappers: Collection[str] | None,
    only_paths: Sequence[Path],
    memories: Sequence[Recall],
    listed: Listed | None,
) -> Fleet:
    wanted = [_inside(root, path) for path in only_paths]
    settings, warnings = load_fleet_settings(root)
    listed = _as_it_stands(root, listed)
    found, fingerprints, sources = listed.found, listed.fingerprints, listed.sources()
    known = recalled(sources, memories)
    reader = partial(_read, root, fingerprints, settings.defaults)
    stems = list(map(attrgetter("stem"), found.files))
    files = _read_unknown(reader, sources, stems, known, mappers)
    fresh = {f.file: seen for f in files if (seen := known_of(f))}
    ids = set(stems)
    shared = check_fleet(files, mappers, settings.policy, settings.defaults, ids)
    check_borrowed(files, settings.policy, ids)
    problems = [p for p in (*warnings, *found.problems, *shared) if _wanted(root, p.file, wanted)]
    # A district's problem may stand in reconciler.yaml; whoever asks for the district is told, once.
    problems += [p for file in files if _wanted(root, file.file, wanted) for p in file.problems]
    names = sorted([*map(attrgetter("name"), found.files), *([FILE] if (root / FILE).exists() else [])])
    valid = {f.file: f.district for f in files if f.district and not f.has_errors}
    districts = Late(lambda: _entries(sources, known, valid))
    return Fleet(
        root=root,
        settings=settings,
        districts=Districts(districts, fingerprints, settings.defaults),
        fingerprints=Late(lambda: {s.file.stem: s.fingerprint for s in sources if s.file.stem in districts}),
        known=_remembered(known, sources, fresh),
        files=Late(lambda: _files(found)),
        refused=_refused(files, found),
        problems=tuple(sorted(dict.fromkeys(problems), key=_order)),
        checked=tuple(n for n in names if _wanted(root, n, wanted)) if wanted else tuple(names),
        complete=found.complete,
    )


def _as_it_stands(root: Path, listed: Listed | None) -> Listed:
    """The files beside the reconciler.yaml that was found valid: what is known of them depends on it."""
    path = root / FILE
    settings = path.read_bytes() if path.exists() else None
    return listed if listed and listed.settings == settings else Listed(root, settings)


def _read_unknown(
    read: Callable[[Sequence[Source]], list[DistrictFile]],
    sources: Sequence[Source],
    stems: Sequence[str],
    known: dict[str, Known],
    mappers: Collection[str] | None,
) -> list[DistrictFile]:
    """The files that are not known, and those that are and of which another file makes one unsure.

    The latter are taken out of `known`. In the order of the sources.
    """
    unknown = [s for s in sources if s.fingerprint not in known]
    files = read(unknown)
    doubtful = doubts(known, stems, files, mappers)
    if not doubtful:
        return files
    again = [s for s in sources if (one := known.get(s.fingerprint)) and doubtful.concern(s.file.stem, one)]
    for source in again:
        known.pop(source.fingerprint, None)
    return sorted([*files, *read(again)], key=lambda f: f.file)


def _read(
    root: Path, fingerprints: Fingerprints, defaults: Defaults, sources: Sequence[Source]
) -> list[DistrictFile]:
    for source in sources:
        fetch(source, fingerprints)
    files = read_all(sources, root, defaults)
    for source in sources:
        source.data = None
    return files


def _entries(
    sources: Sequence[Source], known: Memory, valid: Mapping[str, District]
) -> dict[str, District | Source]:
    """The districts that are right, `valid` ones by the name of their file, and the files of those known."""
    there = (s for s in sources if s.fingerprint in known or s.file.name in valid)
    by_id = {s.file.stem: valid.get(s.file.name, s) for s in there}
    return dict(sorted(by_id.items(), key=itemgetter(0)))


def _remembered(known: Memory, sources: Sequence[Source], fresh: Mapping[str, Known]) -> Memory:
    """What was recalled, and the files that were read now; `fresh` by name."""
    if not fresh:
        return known
    read = (source for source in sources if source.file.name in fresh and source.fingerprint)
    return {**known, **{source.fingerprint: fresh[source.file.name] for source in read}}


def _files(found: Found) -> dict[str, str]:
    by_id = {stem: problems[0].file for stem, problems in found.misnamed.items()}
    return by_id | {file.stem: file.name for file in reversed(found.files)}


def _refused(files: Sequence[DistrictFile], found: Found) -> dict[str, tuple[Problem, ...]]:
    """By the file's stem, and by the id inside where no file is named so: neither is gone."""
    refused: dict[str, list[Problem]] = {}
    wrong = [file for file in files if file.has_errors]
    if not wrong and not found.misnamed:
        return {}
    stems = {file.stem for file in found.files}
    for file in wrong:
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
