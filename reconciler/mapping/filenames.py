"""Which of a folder's files a mapper means by one of its own."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from reconciler.mapping.model import FileSpec


def may_be_meant(spec: FileSpec, name: str) -> bool:
    """Whether a file of this name is read, or would be if no other matched an earlier pattern."""
    globs = spec.patterns or (spec.pattern,)
    return any(_matches(name, g) for g in globs) and not any(_matches(name, g) for g in spec.excluded)


def meant(spec: FileSpec, names: Iterable[str]) -> set[str]:
    """The names that match, whatever their case. Of several patterns the first with any match counts."""
    eligible = [n for n in names if not any(_matches(n, glob) for glob in spec.excluded)]
    for glob in spec.patterns or (spec.pattern,):
        found = {n for n in eligible if _matches(n, glob)}
        if found:
            return found
    return set()


def _matches(name: str, glob: str) -> bool:
    return fnmatchcase(name.casefold(), glob.casefold())
