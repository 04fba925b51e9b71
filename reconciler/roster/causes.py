"""Why so many rows went or changed: the likeliest cause, with its evidence in counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.roster.delta import RemoteFile, RowCounts, SisSchool
from reconciler.roster.roster import Roster

_MOST = 0.8


def likely_cause(
    roster: Roster,
    counts: Mapping[str, RowCounts],
    files_before: Sequence[RemoteFile],
    files_now: Sequence[RemoteFile],
    schools_before: Iterable[SisSchool],
) -> str:
    """One sentence, naming what speaks for it. Falls back to the bare fact where nothing does."""
    students = counts["students"]
    padded = roster.removed_but_for_zeros("students")
    if students.removed and padded >= _MOST * students.removed:
        return f"leading zeros: {padded} of {students.removed} removed ids are there without them"
    if students.removed and students.added >= _MOST * students.removed:
        return f"ids were changed: {students.added} new ids came as {students.removed} went"
    absent = _absent_schools(roster, schools_before)
    if absent:
        return absent
    shrunk = _shrunk_file(files_before, files_now)
    if shrunk:
        return shrunk
    if any(c.removed for c in counts.values()):
        return "the files have fewer rows than before, of every school"
    return "a column's values changed in most rows"


def _absent_schools(roster: Roster, before: Iterable[SisSchool]) -> str:
    now = {s.sis_id: s.students for s in roster.schools()}
    gone = [s for s in before if s.students and not now.get(s.sis_id)]
    if not gone:
        return ""
    listed = ", ".join(f"{s.sis_id} ({s.students} students before)" for s in gone[:3])
    return f"the files have no student of school {listed}"


def _shrunk_file(before: Sequence[RemoteFile], now: Sequence[RemoteFile]) -> str:
    sizes = {f.name: f.size for f in before}
    for file in now:
        old = sizes.get(file.name, 0)
        if old and file.size < 0.8 * old:
            return f"{file.name} is {100 - 100 * file.size / old:.0f} % smaller than at the last sync"
    return ""
