"""A commit that a run carried out, as git has it, for the reports of history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from reconciler.render.text import printable
from reconciler.store.views import iso

_SHOWN = 4
"""So many files are named in text; JSON has all of them."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file of the configuration that a commit changed: its path from the root, and how."""

    path: str
    change: str
    """added, changed or removed."""


@dataclass(frozen=True, slots=True)
class GitCommit:
    """What git says of a commit; where it has none, `found` is False and `note` says why."""

    found: bool = False
    author: str = ""
    date: datetime | None = None
    subject: str = ""
    request: str = ""
    """The pull or merge request it came from, as `#12` or `!12`; empty where it names none."""
    files: tuple[ChangedFile, ...] = ()
    note: str = ""

    @property
    def districts(self) -> tuple[str, ...]:
        """The districts whose own files the commit changed."""
        return tuple(sorted({d for file in self.files if (d := _district(file.path))}))

    def to_json(self) -> dict[str, Any]:
        return {
            "found": self.found,
            "author": self.author,
            "date": iso(self.date),
            "subject": self.subject,
            "request": self.request or None,
            "files": [{"path": f.path, "change": f.change} for f in self.files],
            "districts": list(self.districts),
            "note": self.note or None,
        }


def commit_lines(commit: GitCommit, author: str) -> list[str]:
    """Its subject and date, its author unless that is `author`, then the files that it changed."""
    if not commit.found:
        return [f"commit {commit.note}"]
    request = f" {commit.request}" if commit.request and commit.request not in commit.subject else ""
    by = f", {printable(commit.author)}" if commit.author != author else ""
    lines = [f"“{printable(commit.subject)}”{request}{by}, {iso(commit.date)}"]
    if commit.note:
        lines.append(commit.note)
    return [*lines, f"changed {_listed(commit.files)}"] if commit.files else lines


def _listed(files: Iterable[ChangedFile]) -> str:
    named = [printable(f.path) + ("" if f.change == "changed" else f" ({f.change})") for f in files]
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more


def _district(path: str) -> str:
    """The district whose file this is; empty for any other file."""
    file = PurePosixPath(path)
    return file.stem if file.parts[0] == "districts" and file.suffix in {".yaml", ".yml"} else ""
