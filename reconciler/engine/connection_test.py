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
    """What a test found. `host_key` is what the server showed, also where it was refused for it."""

    district: str
    ok: bool
    host_key: str = ""
    files: tuple[RemoteFile, ...] = ()
    error: ReconcilerError | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "district": self.district,
            "ok": self.ok,
            "host_key": self.host_key or None,
            "files": [{"name": f.name, "size": f.size, "modified": _iso(f.modified)} for f in self.files],
            "error": self.error.to_json() if self.error else None,
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
    host_key = ""
    try:
        session = context.source.open(connection, observed.host_key_seen if observed else "")
        host_key = session.host_key
        with closing(session):
            files = session.list_files(sftp.remote_path, sftp.file_pattern)
            if not files:
                raise session.no_files(sftp.remote_path, sftp.file_pattern)
    except ReconcilerError as error:
        return ConnectionTest(district, False, host_key or getattr(error, "host_key_seen", ""), error=error)
    return ConnectionTest(district, True, host_key, tuple(files))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
