"""The reconciled thing: a connection, as desired and as observed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.config.district import District

if TYPE_CHECKING:
    from reconciler.planning.hand_edit import HandEdit


class Phase(StrEnum):
    """How far a connection has come, in the order in which it gets there."""

    SAVED = "saved"
    TESTED = "tested"
    INITIALIZED = "initialized"
    MAPPED = "mapped"
    SYNCING = "syncing"

    def reaches(self, other: Phase) -> bool:
        """Whether this phase is the other one or lies beyond it."""
        order = list(Phase)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Connection:
    """What git wants, or what the database last applied: the two are compared as this one type."""

    district: District
    mapper_digest: str
    """SHA-256 of the mapper's canonical JSON: a mapper that changes changes its connections."""
    fingerprint: str = field(default="", compare=False)
    """Of the file and the mappers that say this; empty where not known. Other bytes may say the same."""


def spec_digest(connection: Connection) -> str:
    """What decides the rows beside the files: where equal, equal files give equal rows."""
    district = connection.district
    decisive = [
        connection.mapper_digest,
        district.sftp.host, district.sftp.port, district.sftp.remote_path, district.sftp.file_pattern,
        [(s.sis_id, s.school) for s in district.schools],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Observed:
    """A connection as the program has put it on record."""

    connection: Connection
    phase: Phase
    unfinished: bool
    """It was saved and not (yet) carried out to its end: planned again even where nothing differs."""
    retired_at: datetime | None = None
    """When its file was found to be gone; None while the file is there."""
    deactivated: bool = False
    """Its rows were made inactive, `policy.retire_after_days` after it was retired."""
    held: bool = False
    """A safety limit holds its last sync."""
    host_key_seen: str = ""
    """The first key that the server showed, as `type base64`, under `policy.host_keys: first-use`."""
    secret_slot: str = ""
    """`next` where the server has taken the new one of two secrets; see `slot_for`."""
    hold_digest: str = ""
    """Of the delta that a limit holds; empty where none is, or its digest is not known."""
    edit: HandEdit | None = None
    """What somebody has altered in the database since; all else here is as it was before that."""

    def slot_for(self, connection: Connection) -> str:
        """Which secret to log in with. What is on record holds for the login and references of its time."""
        return self.secret_slot if _login(self.connection) == _login(connection) else ""


def _login(connection: Connection) -> tuple[object, ...]:
    """Where a login goes, as whom, and with which secrets."""
    sftp = connection.district.sftp
    return sftp.host, sftp.port, sftp.username, sftp.password, sftp.private_key, sftp.passphrase
