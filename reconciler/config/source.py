"""The bytes of all district files, read at once: thousands of small files, at little more than they cost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from reconciler.config.copies import Copy, how_many
from reconciler.config.district_file import MAX_BYTES
from reconciler.config.find import FoundFile
from reconciler.config.fingerprint import Fingerprints

_WORTH_A_PROCESS = 4000
"""So many files take about 40 ms; a process and its answer cost a few."""
_PIECE = 16 * 1024
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class Source:
    """A district file that was found, and how it is known."""

    file: FoundFile
    fingerprint: str
    """Empty for a link, a file that is too large or cannot be read, …: to be read with care."""
    data: bytes | None = None
    """Its bytes, where they are to be looked into; None as well where it is to be read with care."""


def read_sources(files: Sequence[FoundFile], fingerprints: Fingerprints) -> list[Source]:
    """Every file with its fingerprint, in the order given, and no bytes. Never raises for what a file is."""
    share = -(-len(files) // how_many(len(files), _WORTH_A_PROCESS)) or 1
    others = [
        Copy(partial(_fingerprints, files[start : start + share], fingerprints))
        for start in range(share, len(files), share)
    ]
    found = _fingerprints(files[:share], fingerprints)
    for other in others:
        found += other.result()
    return list(map(Source, files, found))


def fetch(source: Source, fingerprints: Fingerprints) -> None:
    """Give the source its bytes, and their fingerprint, which is another where the file has just changed."""
    data = _read(source.file.path) if source.fingerprint else None
    source.data = data
    source.fingerprint = "" if data is None else fingerprints.of(source.file.stem, data)


def _fingerprints(files: Sequence[FoundFile], fingerprints: Fingerprints) -> list[str]:
    of, read = fingerprints.of, _read
    return [
        "" if not is_plain or (data := read(path)) is None else of(stem, data)
        for _, path, is_plain, stem in files
    ]


def _read(path: str) -> bytes | None:
    """All bytes of the file; None where they cannot be had, or are more than a district file may have.

    What the folder's listing called a plain file may be a link or a pipe by now: a link is not followed,
    and a pipe is not waited for.
    """
    try:
        handle = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        data = more = os.read(handle, _PIECE)
        # A read may give less than there is: only one that gives nothing says that this was all.
        while more and len(data) <= MAX_BYTES:
            more = os.read(handle, _PIECE)
            data += more
    except OSError:
        return None
    finally:
        os.close(handle)
    return data if len(data) <= MAX_BYTES else None
