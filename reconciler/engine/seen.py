"""What a district's server and rows are at one moment, as a plan file keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file on the server; `modified` in seconds since 1970, `sha256` empty where it was not needed."""

    name: str
    size: int
    modified: float
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The outside state that a plan's rows follow from."""

    files: tuple[SeenFile, ...] = ()
    delta: str = ""
    """Digest of the rows to be written; empty where the plan has no sync."""
    stored: str = ""
    """Digest of where the stored rows came from."""

    def to_json(self) -> dict[str, Any]:
        return {"files": [asdict(f) for f in self.files], "delta": self.delta, "stored": self.stored}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Seen:
        """Raises KeyError, TypeError or ValueError for what `to_json` does not write."""
        files = tuple(
            SeenFile(str(f["name"]), int(f["size"]), float(f["modified"]), str(f["sha256"]))
            for f in value["files"]
        )
        return cls(files, str(value["delta"]), str(value["stored"]))
