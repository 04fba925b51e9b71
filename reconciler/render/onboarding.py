"""What `new` has found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.mapping.proposal import Fit
from reconciler.render.text import plural, table
from reconciler.roster.delta import RemoteFile, SisSchool

_MAPPERS = 5
"""Candidates that are shown: those that can read the files, and of the others the nearest."""
_SCHOOLS = 50
_CELL = 60


@dataclass(frozen=True, slots=True)
class FoundView:
    """What was found at a district's server, and what was taken from it."""

    host_key: str
    accepted: bool
    files: Sequence[RemoteFile]
    fits: Sequence[Fit]
    mapper: str
    """Empty: none was chosen."""
    schools: Sequence[tuple[SisSchool, str]]
    """Each with the suggestion for it."""
    notes: Sequence[str]


def found_text(file: str, found: FoundView) -> str:
    """The file that was written, then what was learned for it, then what to do next."""
    lines = [f"wrote {file}"]
    if found.host_key:
        lines.append(f"    host key {found.host_key} ({'accepted' if found.accepted else 'not confirmed'})")
    if found.files:
        lines.append(
            f"    {plural(len(found.files), 'file')}: {_cut(', '.join(f.name for f in found.files))}"
        )
    if found.fits:
        lines += _indented(_mappers(found))
    if found.schools:
        rows = [(_plain(s.sis_id), _plain(s.name), s.students, one) for s, one in found.schools[:_SCHOOLS]]
        lines += _indented(table(("SIS ID", "NAME", "STUDENTS", "SUGGESTION"), rows))
    if len(found.schools) > _SCHOOLS:
        lines.append(f"    … and {len(found.schools) - _SCHOOLS} more schools; --format json has them all")
    lines += [f"    note: {note}" for note in found.notes]
    return "\n".join([*lines, "Next: look at the file, then `reconciler validate` and `reconciler plan`."])


def _mappers(found: FoundView) -> str:
    shown = list(found.fits[:_MAPPERS])
    shown += [f for f in found.fits[_MAPPERS:] if f.mapper == found.mapper]
    rows = [
        (
            f.mapper + (" ←" if f.mapper == found.mapper else ""),
            f.score,
            f"{f.found} of {f.wanted}",
            _verdict(f),
        )
        for f in shown
    ]
    return table(("MAPPER", "SCORE", "FIELDS", ""), rows)


def _verdict(fit: Fit) -> str:
    if fit.reads:
        return "reads the files"
    return _cut(fit.missing[0] if " has no " in fit.missing[0] else f"lacks {fit.missing[0]}")


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"


def _plain(text: str) -> str:
    """A cell of somebody's file, harmless on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _indented(text: str) -> list[str]:
    return ["    " + line for line in text.splitlines()]
