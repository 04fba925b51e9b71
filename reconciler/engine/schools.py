"""The schools of one district: those that its files name, held against its mapping."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from reconciler.config.district import District
from reconciler.engine.steps import near_miss
from reconciler.roster.delta import SisSchool


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
    """Every school that the files or the mapping name, by id."""
    there = {s.sis_id: s for s in learned}
    mapped = {s.sis_id: s for s in district.schools}
    ignored = set(district.ignored_schools)
    taken = {s.school for s in district.schools}
    states = []
    for sis_id in sorted(there.keys() | mapped.keys() | ignored):
        school = there.get(sis_id, SisSchool(sis_id))
        if sis_id in mapped:
            meant = None if sis_id in there else near_miss(sis_id, there) or None
            name = school.name or mapped[sis_id].name
            states.append(SchoolState(sis_id, name, school.students, "mapped", mapped[sis_id].school, meant))
        elif sis_id in ignored:
            states.append(SchoolState(sis_id, school.name, school.students, "ignored"))
        else:
            suggestion = _slug(school.name) or None
            if suggestion in taken:
                suggestion = None
            states.append(SchoolState(sis_id, school.name, school.students, "unmapped", None, suggestion))
    return states


def _slug(name: str) -> str:
    """A platform id as people write them: `Lincoln Elementary` is `lincoln-elementary`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
