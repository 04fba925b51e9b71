"""A snapshot as text and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from reconciler.roster.delta import RemoteFile, Snapshot


def snapshot_to_text(snapshot: Snapshot) -> str:
    value = {
        "files": _listed(snapshot.files),
        "unpacked": _listed(snapshot.unpacked),
        "sha256": dict(snapshot.sha256),
        "columns": {file: list(columns) for file, columns in snapshot.columns.items()},
        "newline": dict(snapshot.newline),
        "trailers": list(snapshot.trailers),
        "formats": {file: list(words) for file, words in snapshot.formats.items()},
        "rows": dict(snapshot.rows),
        "order": {entity: list(digests) for entity, digests in snapshot.order.items()},
        "spec_digest": snapshot.spec_digest,
        "settled": snapshot.settled,
        "pending": {file: list(digests) for file, digests in snapshot.pending.items()},
    }
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def snapshot_from_text(text: str | None) -> Snapshot:
    """The snapshot that `text` says; an empty one, which equals no server's files, for None."""
    if text is None:
        return Snapshot()
    value: dict[str, Any] = json.loads(text)
    return Snapshot(
        files=_files(value["files"]),
        unpacked=_files(value.get("unpacked", ())),
        sha256=value["sha256"],
        columns={file: tuple(columns) for file, columns in value["columns"].items()},
        newline=value["newline"],
        trailers=tuple(value.get("trailers", ())),
        # Snapshots of earlier versions do not have these.
        formats={file: tuple(words) for file, words in value.get("formats", {}).items()},
        rows=value.get("rows", {}),
        order={entity: tuple(digests) for entity, digests in value.get("order", {}).items()},
        spec_digest=value["spec_digest"],
        settled=value["settled"],
        pending={file: tuple(digests) for file, digests in value.get("pending", {}).items()},
    )


def _listed(files: Iterable[RemoteFile]) -> list[tuple[str, int, float]]:
    return [(file.name, file.size, file.modified) for file in files]


def _files(listed: Iterable[tuple[str, int, float]]) -> tuple[RemoteFile, ...]:
    return tuple(RemoteFile(name, size, modified) for name, size, modified in listed)
