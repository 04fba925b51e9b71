"""Test Connection on its own: looks, and writes nothing."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.engine.context import Context
from reconciler.errors import ReconcilerError
from reconciler.planning.connection import Connection
from reconciler.roster.delta import RemoteFile


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What a test found. The key is the one that the server showed, also where it was refused for it."""

    district: str
    ok: bool
    host_key: str = ""
    """Its fingerprint, `SHA256:…`: what can be written under `host_key:`."""
    public_key: str = ""
    """The same key as `type base64`."""
    files: tuple[RemoteFile, ...] = ()
    error: ReconcilerError | None = None
    note: str = ""
    """Which of two secrets has logged in, while one is rotated."""

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "ok": self.ok,
            "host_key": self.host_key or None,
            "public_key": self.public_key or None,
            "files": [{"name": f.name, "size": f.size, "modified": _iso(f.modified)} for f in self.files],
            "error": self.error.to_json() if self.error else None,
            "notes": [self.note] if self.note else [],
        }


def test_connection(
    context: Context, district: str, connection: Connection | None, refused: ReconcilerError | None
) -> ConnectionTest:
    """Connect, check the key, log in and list. Never raises for what goes wrong on the way."""
    observed = context.store.observe_one(district)
    connection = connection or (observed.connection if observed and not refused else None)
    if connection is None:
        return ConnectionTest(district, ok=False, error=refused)
    sftp = connection.district.sftp
    shown, note = ("", ""), ""
    try:
        session = context.source.open(
            connection,
            observed.host_key_seen if observed else "",
            observed.slot_for(connection) if observed else "",
        )
        note = session.note
        shown = session.fingerprint, session.host_key
        with closing(session):
            files = session.list_files(sftp.remote_path, sftp.file_pattern)
            if not files:
                raise session.no_files(sftp.remote_path, sftp.file_pattern)
    except ReconcilerError as error:
        if not shown[0]:
            shown = getattr(error, "fingerprint_seen", ""), getattr(error, "host_key_seen", "")
        return ConnectionTest(district, False, *shown, error=error, note=note)
    return ConnectionTest(district, True, *shown, tuple(files), note=note)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
