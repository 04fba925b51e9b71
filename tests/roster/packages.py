"""A district that sends OneRoster packages, its store in memory: each package read over those before it."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.model import Mapper
from reconciler.roster.delta import RemoteFile
from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.packages.manifest import read_manifest
from reconciler.roster.packages.package import Package
from reconciler.roster.reading.tables import choose_files
from reconciler.roster.roster import Roster
from tests.roster.running import Outcome, Stored, make_mapper, stored_csv

HEADERS = {
    "orgs": ("name", "type"),
    "users": ("orgSourcedIds", "role", "givenName", "familyName", "phone", "agentSourcedIds"),
    "demographics": ("birthDate", "sex"),
}
"""The columns of each file after sourcedId and status."""

Rows = Mapping[str, Sequence[str]]
"""sourcedId to the cells of HEADERS."""


def written(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    return out.getvalue()


def table(file: str, rows: Rows, statuses: Mapping[str, str] | None = None) -> str:
    """A file of a package; the statuses are a delta's."""
    said = statuses or {}
    listed = [(key, said.get(key, ""), *cells) for key, cells in rows.items()]
    return written(("sourcedId", "status", *HEADERS[file]), listed)


def manifest(modes: Mapping[str, str]) -> str:
    fixed = [("manifest.version", "1.0"), ("oneroster.version", "1.1"), ("file.lineItems", "absent")]
    return written(("propertyName", "value"), [*fixed, *((f"file.{f}", mode) for f, mode in modes.items())])


class District:
    """What a store would hold of one district: its rows' hashes, and the source rows of its files."""

    def __init__(self, mapper: Mapper | None = None):
        self.mapper = mapper or make_mapper("oneroster-1.1")
        self.stored: Stored = {}
        self.kept: dict[str, KeptFile] = {}

    def take(
        self, files: Mapping[str, str], modes: Mapping[str, str] | None = None, *, waived: bool = False
    ) -> Outcome:
        """Read a package and keep what came of it. `modes` None: there is no manifest."""
        contents = {f"{name}.csv": text for name, text in files.items()}
        if modes is not None:
            contents["manifest.csv"] = manifest(modes)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, content in contents.items():
                (folder / file).write_text(content, encoding="utf-8", newline="")
            chosen = choose_files(self.mapper, [RemoteFile(file, 1, 0) for file in contents])
            local = {k: [(f.name, folder / f.name) for f in found] for k, found in chosen.items()}
            said = read_manifest(self.mapper, local, folder)
            package = Package(said, self.kept, waived) if said else None
            with Roster(self.mapper, local, folder, package=package) as roster:
                return self._resolved(roster)

    def _resolved(self, roster: Roster) -> Outcome:
        counts = roster.resolve(None, stored=lambda entity: stored_csv(self.stored, entity))
        deltas = {d.entity: d for d in roster.deltas()}
        outcome = Outcome(
            counts=counts,
            rows={e: list(roster.rows(e)) if counts[e].read else [] for e in ENTITIES},
            rejects=roster.rejects(),
            blocked=roster.blocked(),
            upserts={e: list(d.upserts()) for e, d in deltas.items()},
            removals={e: list(d.removals()) for e, d in deltas.items()},
            schools=roster.schools(),
            notices=roster.notices,
            before=self.stored,
        )
        self.stored = outcome.stored()
        self.kept = {k.file: _in_memory(k) for k in roster.kept_files()}
        return outcome

    def active(self, entity: str = "students") -> set[str]:
        return {"-".join(key) for key, (_, active) in self.stored.get(entity, {}).items() if active}


def _in_memory(kept: KeptFile) -> KeptFile:
    content = kept.content()
    return KeptFile(kept.file, kept.columns, kept.rows, kept.sha256, lambda: content, kept.unread)


def everything(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    """The taken rows of the entities that are stored."""
    return {entity: outcome.rows[entity] for entity in STORED}
