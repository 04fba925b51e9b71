"""A connection as it is on record, at a glance: enough to tell that nothing is to be done."""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

from reconciler.config.district import District
from reconciler.planning.connection import Connection, Observed, Phase


class Mark(NamedTuple):
    """What the database has of a connection, without what its file says."""

    district: str
    fingerprint: str | None
    """Of the file that was applied last, a dot, and that of the mappers; None where it is not known."""
    account: str
    mapper: str
    mapper_digest: str
    phase: str
    unfinished: bool
    retired_at: datetime | None
    deactivated: bool
    held: bool
    host_key_seen: str
    spec: str | None
    """District.to_json as text, of a connection that is not in its last phase; else None."""
    hold_digest: str | None = None
    """Of the delta that a limit holds; None where none is."""

    @property
    def file_fingerprint(self) -> str:
        """Of the file alone; empty where it is not known."""
        return (self.fingerprint or "").partition(".")[0]

    def is_by(self, mappers: str) -> bool:
        """Whether it was applied with mappers of this fingerprint."""
        return bool(self.fingerprint) and str(self.fingerprint).endswith(f".{mappers}")

    def is_of(self, fingerprint: str, mapper_digest: str) -> bool:
        """Whether what was applied last is what this file and this mapper say."""
        same_file = fingerprint.partition(".")[0] == self.file_fingerprint
        return bool(fingerprint) and same_file and self.mapper_digest == mapper_digest

    @property
    def is_settled(self) -> bool:
        """Nothing is left to do for it, whatever day it is, as long as nothing changes."""
        return self.phase == Phase.SYNCING and not self.unfinished and self.retired_at is None

    def observed(self) -> Observed | None:
        """The connection as the full question would give it; None where the spec was not asked for."""
        if self.spec is None:
            return None
        return Observed(
            connection=Connection(District.from_json(json.loads(self.spec)), self.mapper_digest),
            phase=Phase(self.phase),
            unfinished=self.unfinished,
            retired_at=self.retired_at,
            deactivated=self.deactivated,
            held=self.held,
            host_key_seen=self.host_key_seen,
            hold_digest=self.hold_digest or "",
        )
