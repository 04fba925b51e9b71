"""All district files of a repository: found at once, and hashed while the program does other things.

It loads nothing that reads YAML, so that the hashing can begin before that is loaded.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.config.copies import Copy, Draw, how_many
from reconciler.config.find import FoundFile, find_district_files
from reconciler.config.fingerprint import Fingerprints
from reconciler.config.root import SETTINGS
from reconciler.config.source import Source, read_fingerprints, read_plain

_WORTH_A_PROCESS = 4000
"""So many files take about 40 ms; a process and its answer cost a few."""
_PIECES = 64
"""As many shares are drawn: small enough that all processes end at about the same time."""


class Listed:
    """The files and their fingerprints, as the folder is now. Ends with `sources` or `close`."""

    def __init__(self, root: Path, settings: bytes | None):
        """`root`: of the repository. `settings`: what reconciler.yaml says, or None where it is not there.

        Copies of this process begin to hash at once, where they help.
        """
        self.found = find_district_files(root)
        self.settings = settings
        self.fingerprints = Fingerprints(settings or b"")
        files = self.found.files
        share = -(-len(files) // _PIECES) or 1
        self._pieces = [files[start : start + share] for start in range(0, len(files), share)]
        self._draw = Draw(len(self._pieces))
        self._copies = [Copy(self._drawn) for _ in range(how_many(len(files), _WORTH_A_PROCESS) - 1)]

    def sources(self) -> list[Source]:
        """Every file with its fingerprint, sorted by name, and no bytes. Asked for once.

        Never raises for what a file is.
        """
        done = self._drawn()
        while self._copies:
            done.update(self._copies.pop().result())
        self.close()
        # What a copy drew that did not come to its end is done here.
        texts = [done[n] if n in done else self._hashed(piece) for n, piece in enumerate(self._pieces)]
        return list(map(Source, self.found.files, (text for piece in texts for text in piece)))

    def close(self) -> None:
        """Ask for nothing more. May be said again."""
        self._draw.close()
        while self._copies:
            self._copies.pop().give_up()

    def _drawn(self) -> dict[int, list[str]]:
        return {number: self._hashed(self._pieces[number]) for number in self._draw}

    def _hashed(self, piece: list[FoundFile]) -> list[str]:
        return read_fingerprints(piece, self.fingerprints)


def list_early(root: Path) -> Listed:
    """What is there, before reconciler.yaml was checked: `load_fleet` does so, and lists anew if it must."""
    return Listed(root, read_plain(root / SETTINGS))
