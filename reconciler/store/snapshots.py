"""A snapshot as text and back."""

from __future__ import annotations

import json
from typing import Any

from reconciler.roster.delta import RemoteFile, Snapshot


def snapshot_to_text(snapshot: Snapshot) -> str:
    value = {
        "files": [[file.name, file.size, file.modified] for file in snapshot.files],
        "sha256": dict(snapshot.sha256),
        "columns": {file: list(columns) for file, columns in snapshot.columns.items()},
        "newline": dict(snapshot.newline),
        "formats": {file: list(words) for file, words in snapshot.formats.items()},
        "rows": dict(snapshot.rows),
        "order": {entity: list(digests) for entity, digests in snapshot.order.items()},
        "spec_digest": snapshot.spec_digest,
        "settled": snapshot.settled,
    }
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def snapshot_from_text(text: str | None) -> Snapshot:
    """The snapshot that `text` says; an empty one, which equals no server's files, for None."""
    if text is None:
        return Snapshot()
    value: dict[str, Any] = json.loads(text)
    return Snapshot(
        files=tuple(RemoteFile(name, size, modified) for name, size, modified in value["files"]),
        sha256=value["sha256"],
        columns={file: tuple(columns) for file, columns in value["columns"].items()},
        newline=value["newline"],
        # Snapshots of earlier versions do not have these.
        formats={file: tuple(words) for file, words in value.get("formats", {}).items()},
        rows=value.get("rows", {}),
        order={entity: tuple(digests) for entity, digests in value.get("order", {}).items()},
        spec_digest=value["spec_digest"],
        settled=value["settled"],
    )
