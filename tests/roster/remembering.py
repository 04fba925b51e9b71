"""A store in memory: a roster's rows from one night to the next, and why a night would be held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from reconciler.config.policy import ContactSafety
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.model import Mapper
from reconciler.planning.contact_safety import contact_breaches
from reconciler.planning.limits import GUARDED, breaches
from reconciler.roster.causes import Cause, Surroundings
from reconciler.roster.delta import RemoteFile, Snapshot
from reconciler.roster.roster import Roster
from tests.roster.running import as_csv, make_mapper, open_roster
from tests.roster.school_days import SCHOOLS

MAPPER = make_mapper("generic")
MAPPING = {school: f"school-{school}" for school in SCHOOLS}


@dataclass
class Memory:
    """What a store holds of one district."""

    rows: dict[str, dict[tuple[str, ...], tuple[tuple[Any, ...], bool]]] = field(
        default_factory=lambda: {entity: {} for entity in STORED}
    )
    """Entity to key to (the entity's columns and row_hash, active)."""
    snapshot: Snapshot = field(default_factory=Snapshot)

    def stored(self, entity: str) -> Iterable[bytes]:
        for key, (row, is_active) in self.rows[entity].items():
            yield as_csv((*key, row[-1], "t" if is_active else "f"))

    def stored_columns(self, entity: str, columns: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        places = [ENTITIES[entity].columns.index(c) for c in columns]
        return ((*(row[i] for i in places), active) for row, active in self.rows[entity].values())

    def stored_values(
        self, entity: str, columns: Sequence[str], keys: Sequence[tuple[str, ...]] | None
    ) -> Iterable[tuple[Any, ...]]:
        wanted = None if keys is None else set(keys)
        places = [ENTITIES[entity].columns.index(c) for c in columns]
        for key, (row, active) in self.rows[entity].items():
            if wanted is None or key in wanted:
                yield (*(row[i] for i in places), active)

    @contextmanager
    def night(self, files: Mapping[str, bytes], mapper: Mapper = MAPPER) -> Any:
        """The roster of these files, resolved against what is stored; nothing is written."""
        with open_roster(mapper, files, known_columns=self.snapshot.columns) as roster:
            roster.resolve(MAPPING, stored=self.stored, known_files=self.snapshot.columns)
            yield roster

    def take(self, files: Mapping[str, bytes], mapper: Mapper = MAPPER) -> Cause | None:
        """Take the files' rows as a sync does; where it would be held, they are not taken: the cause."""
        with self.night(files, mapper) as roster:
            cause = self._cause(roster, files) or self._unsafe(roster)
            if cause:
                return cause
            for delta in roster.deltas():
                width, rows = len(ENTITIES[delta.entity].key), self.rows[delta.entity]
                rows.update({row[:width]: (row, True) for row in delta.upserts()})
                for key in delta.removals():
                    rows[key] = (rows[key][0], False)
            self.snapshot = snapshot_of(roster, files)
        return None

    def cause(self, files: Mapping[str, bytes], mapper: Mapper = MAPPER) -> Cause | None:
        """Why these files would be held; None where they would not. Nothing is taken."""
        with self.night(files, mapper) as roster:
            return self._cause(roster, files)

    def _unsafe(self, roster: Roster) -> Cause | None:
        limits = ContactSafety()
        changes = roster.contact_changes(self.stored_values, limits.max_students_per_phone)
        found = contact_breaches(changes, limits)
        return Cause(found[0].code, str(found[0])) if found else None

    def _cause(self, roster: Roster, files: Mapping[str, bytes]) -> Cause | None:
        counts = {delta.entity: delta.counts for delta in roster.deltas() if delta.entity in GUARDED}
        found = breaches(counts, roster.active(), max_removal_percent=10, max_change_percent=75)
        if not found:
            return None
        around = Surroundings(self.snapshot, snapshot_of(roster, files), roster.schools())
        return roster.likely_cause(
            found[0].entity, removed=found[0].is_removal, stored=self.stored_columns, around=around
        )


def snapshot_of(roster: Roster, files: Mapping[str, bytes]) -> Snapshot:
    shape = roster.shape()
    return Snapshot(
        files=tuple(RemoteFile(name, len(content), 0) for name, content in sorted(files.items())),
        columns=roster.columns,
        formats=shape.formats,
        rows=shape.rows,
        order=shape.order,
    )
