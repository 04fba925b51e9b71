"""Finds the district files, in one order whatever the file system says, and all that looks like one.

Whatever cannot be read is told: a file that is only overlooked would look like a district that is gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.root import DISTRICTS
from reconciler.errors import Problem

_SYNTAX = "config.syntax"


@dataclass(slots=True)
class Found:
    """What districts/ holds. Paths are absolute; `problems` name files relative to the root."""

    files: list[Path] = field(default_factory=list)
    """`*.yaml`, sorted by their path relative to the root."""
    misnamed: dict[str, list[Problem]] = field(default_factory=dict)
    """By stem: what is meant as a district and named wrongly."""
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True
    """False where a folder could not be read: districts may be in it that nobody knows of."""


def find_district_files(root: Path) -> Found:
    """Every district file below districts/, in any folder but hidden ones."""
    found = Found()
    folders = [root / DISTRICTS]
    if not folders[0].resolve().is_relative_to(root.resolve()):
        _lose(
            found,
            DISTRICTS,
            "is a symbolic link that leads out of the repository",
            "put the folder itself here",
        )
        return found
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                folders += [Path(entry.path) for entry in entries if _take(entry, root, found)]
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            _lose(
                found,
                display_name(root, folder),
                f"the folder cannot be read: {reason}",
                "check its permissions",
            )
    found.files.sort(key=lambda path: display_name(root, path))
    return found


def _take(entry: os.DirEntry[str], root: Path, found: Found) -> bool:
    """Whether the entry is a folder to go into; files are noted."""
    if entry.name.startswith(".") or entry.name.endswith("~"):
        return False
    path = Path(entry.path)
    name = display_name(root, path)
    looks_like_district = path.suffix.lower() in (".yaml", ".yml")
    if _is_folder(entry):
        if entry.is_symlink():
            _lose(found, name, "a symbolic link to a folder is not followed", "put the folder itself here")
            return False
        if looks_like_district:
            _misname(found, path, name, "is a folder, not a file", "rename the folder")
        return True
    if path.suffix == ".yaml":
        found.files.append(path)
    elif looks_like_district:
        _misname(found, path, name, "the ending must be .yaml", f"rename it to {path.stem}.yaml")
    return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link that leads back to itself is none: it is told where it is read, and hides no other file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _misname(found: Found, path: Path, name: str, message: str, hint: str) -> None:
    problem = Problem(_SYNTAX, "error", name, 0, 0, "", message, hint)
    found.problems.append(problem)
    found.misnamed.setdefault(path.stem, []).append(problem)


def _lose(found: Found, name: str, message: str, hint: str) -> None:
    found.complete = False
    found.problems.append(Problem(_SYNTAX, "error", name, 0, 0, "", message, hint))


def display_name(root: Path, path: Path) -> str:
    """Relative to the root, with forward slashes; what cannot be printed is written as an escape."""
    name = os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", errors="backslashreplace")
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
