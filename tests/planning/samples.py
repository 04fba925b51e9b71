"""Districts and connections to plan with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.config.district import District, SchoolMapping, SecretRef, Sftp, Sync
from reconciler.planning.connection import Connection, Observed, Phase

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIGEST = "0" * 64


def connection(
    name: str = "oak", *, digest: str = DIGEST, sftp: dict[str, Any] | None = None,
    sync: dict[str, Any] | None = None, **more: Any,
) -> Connection:  # fmt: skip
    """A connection with one mapped school; keywords replace parts of it."""
    server = Sftp("sftp.oak.example", "roster", password=SecretRef("env", "SFTP_OAK_PASSWORD"))
    district = District(
        name,
        name.title(),
        f"account of {name}",
        replace(server, **(sftp or {})),
        "generic",
        schools=(SchoolMapping("0042", "lincoln"),),
        sync=Sync(**(sync or {})),
    )
    return Connection(replace(district, **more), digest)


def observed(applied: Connection, phase: Phase = Phase.SYNCING, **more: Any) -> Observed:
    """A connection as it was applied, all its steps done."""
    return Observed(applied, phase, **{"unfinished": False, **more})
