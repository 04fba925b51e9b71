"""The schools of one district: those that its files name, held against its mapping."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.config.district import District, SchoolMapping
from reconciler.planning.school_ids import near_miss, same_school_name
from reconciler.roster.delta import SisSchool

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class SchoolState:
    """One SIS school and what becomes of its students."""

    sis_id: str
    name: str
    students: int
    state: str
    """`mapped`, `ignored` or `unmapped`."""
    school: str | None = None
    """The platform's school, where mapped."""
    suggestion: str | None = None
    """For an unmapped school, what its mapping might say; for a mapped one not there, the id meant."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def school_states(district: District, learned: Iterable[SisSchool]) -> list[SchoolState]:
    """Every school that the files or the mapping name, by id. Suggestions are never applied by themselves."""
    there = {s.sis_id: s for s in learned}
    mapped = {s.sis_id: s for s in district.schools}
    ignored = set(district.ignored_schools)
    suggested = suggestions(district, there)
    states = []
    for sis_id in sorted(there.keys() | mapped.keys() | ignored):
        school = there.get(sis_id, SisSchool(sis_id))
        if sis_id in mapped:
            meant = None if sis_id in there else near_miss(sis_id, waiting(district, there)) or None
            name = school.name or mapped[sis_id].name
            states.append(SchoolState(sis_id, name, school.students, "mapped", mapped[sis_id].school, meant))
        elif sis_id in ignored:
            states.append(SchoolState(sis_id, school.name, school.students, "ignored"))
        else:
            suggestion = suggested[sis_id]
            states.append(SchoolState(sis_id, school.name, school.students, "unmapped", None, suggestion))
    return states


def waiting(district: District, there: Iterable[str]) -> list[str]:
    """The schools of the files that are neither mapped nor ignored."""
    known = {s.sis_id for s in district.schools} | set(district.ignored_schools)
    return [sis_id for sis_id in there if sis_id not in known]


def suggestions(district: District, there: Mapping[str, SisSchool]) -> dict[str, str]:
    """For each unmapped school of the files the platform's school that it may be, or an id for a new one.

    A mapped school that no file names is probably one of those that wait: by its id under another spelling,
    else by its name. The schools that are mapped and there are taken; a school of the same name is another.
    """
    absent = [s for s in district.schools if s.sis_id not in there]
    ids = {s.sis_id: s.school for s in absent}
    used = {s.school for s in district.schools}
    found: dict[str, str] = {}
    for sis_id in waiting(district, there):
        name = there[sis_id].name
        meant = ids.get(near_miss(sis_id, ids)) or _by_name(name, absent)
        found[sis_id] = meant or _new_id(sis_id, name, used)
        used.add(found[sis_id])
    return found


def _by_name(name: str, absent: Sequence[SchoolMapping]) -> str:
    """The one school of these with this name, or an id made of it; empty where none or several."""
    alike = {
        s.school
        for s in absent
        if same_school_name(name, s.name) or same_school_name(name, s.school.replace("-", " "))
    }
    return alike.pop() if len(alike) == 1 else ""


def _new_id(sis_id: str, name: str, used: Collection[str]) -> str:
    """A platform id for a school that has none: its name, with the SIS id where that name is taken."""
    slug = _slug(name)
    if slug and slug not in used:
        return slug
    return f"{slug or 'school'}-{_slug(sis_id) or 'new'}"


def _slug(name: str) -> str:
    """A platform id as people write them: `Lincoln Elementary` is `lincoln-elementary`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


# --- what a report says of schools ---------------------------------------------------------------------


def unmapped_notes(district: District, schools: Sequence[SisSchool]) -> list[str]:
    """How many schools wait to be mapped, with the students that are left out until then."""
    names = set(waiting(district, [s.sis_id for s in schools]))
    if not names:
        return []
    students = sum(s.students for s in schools if s.sis_id in names)
    return [
        f"{len(names)} {'school waits' if len(names) == 1 else 'schools wait'} to be mapped "
        f"({students} students): `reconciler schools {district.id}` lists them"
    ]


def absent_notes(district: District, schools: Sequence[SisSchool]) -> list[str]:
    """Mapped schools that the files do not name, with the id that was probably meant."""
    there = [s.sis_id for s in schools]
    notes = []
    for school in district.schools:
        if school.sis_id in there:
            continue
        meant = near_miss(school.sis_id, waiting(district, there))
        if meant:
            notes.append(
                f"{district.id}.yaml maps {school.sis_id!r}; the files have {meant!r}: "
                f"write sis_id: {json.dumps(meant, ensure_ascii=False)}"
            )
        else:
            notes.append(f"the mapped school {school.sis_id!r} is not in the files")
    return notes


def unlisted_notes(students: Mapping[str, int], schools: Sequence[SisSchool]) -> list[str]:
    """Students at schools that the files' own list of schools does not have; `students` by school."""
    if not students:
        return []
    listed = [s.sis_id for s in schools if s.sis_id not in students]
    said = []
    for sis_id, count in list(students.items())[:_SHOWN]:
        meant = near_miss(sis_id, listed)
        said.append(f"{sis_id} ({count}{f'; the list has {meant!r}' if meant else ''})")
    more = ", …" if len(students) > _SHOWN else ""
    return [
        f"{sum(students.values())} students are at schools that the files' list of schools does not have: "
        f"{', '.join(said)}{more}"
    ]
