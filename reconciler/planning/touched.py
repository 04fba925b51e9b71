"""Which districts a branch touches: those whose files it changes, and those that share what it changes.

Pure: which files have changed arrives as an argument, as paths relative to the configuration's root.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from reconciler.errors import Problem

FLEET_FILE = "reconciler.yaml"
_DISTRICTS, _MAPPERS, _APPROVALS = "districts", "mappers", "approvals"
_DISTRICT_ENDINGS = (".yaml", ".yml")
_MAPPER_ENDINGS = (".json", ".yaml", ".yml")
_BETWEEN_FILES = frozenset({"config.duplicate", "config.reference", "secret.bound"})
"""Codes of problems that a file can come to have by a change to another one."""


@dataclass(frozen=True, slots=True)
class Since:
    """What a plan was limited to."""

    revision: str
    """As it was given."""
    commit: str
    """What the revision stands for."""
    base: str
    """The commit where the branch left it: what the files are compared with."""
    files: int
    """Files of the configuration that differ from the base, uncommitted ones too."""
    districts: int
    """Districts that these files concern."""
    left_out: int
    """Districts that they do not."""
    everything: str = ""
    """Why every district is planned; empty: not all are."""

    def to_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision, "commit": self.commit, "base": self.base, "files": self.files,
            "districts": self.districts, "left_out": self.left_out, "everything": self.everything,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """What of the configuration one district reads."""

    file: str = ""
    """Relative to the root; empty: it has none any more."""
    mappers: frozenset[str] = frozenset()
    """The mapper that its file names, and the one that was applied last."""
    problems: Sequence[Problem] = ()
    """Why it is refused."""


def touched(
    changed: Collection[str], uses: Mapping[str, Use], extends: Mapping[str, str]
) -> frozenset[str] | None:
    """The districts that the changed files concern; None: all of them, for the fleet's settings changed.

    `extends` leads from each mapper to the one that it extends, where it does.
    """
    if FLEET_FILE in changed:
        return None
    mappers = with_extensions(changed_mappers(changed), extends)
    stems = _stems(changed) | _approved(changed)
    is_districts = any(path.split("/")[0] == _DISTRICTS for path in changed)
    return frozenset(
        name
        for name, use in uses.items()
        if name in stems
        or _is_in(use.file, changed)
        or use.mappers & mappers
        or any(_is_in(p.file, changed) or _may_follow(p, is_districts, mappers) for p in use.problems)
    )


def changed_mappers(changed: Iterable[str]) -> frozenset[str]:
    """The names of the mappers whose files are among these."""
    paths = map(PurePosixPath, changed)
    return frozenset(p.stem for p in paths if p.parts[0] == _MAPPERS and p.suffix.lower() in _MAPPER_ENDINGS)


def with_extensions(mappers: Iterable[str], extends: Mapping[str, str]) -> frozenset[str]:
    """These mappers and all that extend them, over any number of steps."""
    found = set(mappers)
    before = -1
    while len(found) != before:
        before = len(found)
        found |= {name for name, base in extends.items() if base in found}
    return frozenset(found)


def _stems(changed: Iterable[str]) -> frozenset[str]:
    """Ids of the districts whose files these are, were, or seem to be."""
    paths = [p for p in map(PurePosixPath, changed) if p.parts[0] == _DISTRICTS]
    stems = {p.stem for p in paths if p.suffix.lower() in _DISTRICT_ENDINGS}
    return frozenset(stems | {stem.lower() for stem in stems})


def _approved(changed: Iterable[str]) -> frozenset[str]:
    """Ids of the districts whose approvals these are: what is held of theirs may go through, or no longer."""
    paths = map(PurePosixPath, changed)
    return frozenset(p.parts[1] for p in paths if p.parts[0] == _APPROVALS and len(p.parts) > 2)


def _is_in(file: str, changed: Collection[str]) -> bool:
    """Whether a file is among the changed ones, or in one that is a folder to us and a whole to git."""
    return bool(file) and (file in changed or any(str(p) in changed for p in PurePosixPath(file).parents))


def _may_follow(problem: Problem, is_districts: bool, mappers: Collection[str]) -> bool:
    """Whether a problem of one file may come from a change to another."""
    if problem.code == "config.reference":
        return bool(mappers)
    return is_districts and problem.code in _BETWEEN_FILES
