"""The rows of a file as the last accepted package left them: what a delta is a change of.

OneRoster's packages may carry changes only. Such a file is right only relative to all that came before it, so
a district that sends a manifest has its source rows kept, those columns of them that its mapper reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.roster.reading.reader import BrokenRow


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file of the mapper, with the rows that are known of it."""

    file: str
    """Its name in the mapper."""
    columns: tuple[tuple[str, bool], ...]
    """The header that it had, and of each column whether its cells were kept."""
    rows: int
    """Those that are not deleted."""
    sha256: str
    """Digest of the content, by which the store sees that there is nothing to write."""
    content: Callable[[], bytes] = field(compare=False, repr=False)
    """A gzip'd CSV, every cell quoted: the row's position, 1 if a delta deleted it, then its kept cells.

    May be asked again."""
    unread: tuple[BrokenRow, ...] = ()
    """The lines of its last bulk file that could not be read: they go on keeping whom they may name."""

    @property
    def places(self) -> tuple[int, ...]:
        """The places of the kept columns in the header."""
        return tuple(i for i, (_, kept) in enumerate(self.columns) if kept)

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)
