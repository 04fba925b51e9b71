"""The bytes of district files: thousands of small ones, read at little more than they cost."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.config.find import FoundFile
from reconciler.config.fingerprint import Fingerprints

MAX_BYTES = 512 * 1024
"""The largest district of the country has some 1,600 schools, and each takes about 80 bytes."""
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


def fetch(source: Source, fingerprints: Fingerprints) -> None:
    """Give the source its bytes, and their fingerprint, which is another where the file has just changed."""
    data = read_plain(source.file.path) if source.fingerprint else None
    source.data = data
    source.fingerprint = "" if data is None else fingerprints.of(source.file.stem, data)


def read_fingerprints(files: Sequence[FoundFile], fingerprints: Fingerprints) -> list[str]:
    """Of every file, in the order given. Never raises for what a file is."""
    of, read = fingerprints.of, read_plain
    return [
        "" if not is_plain or (data := read(path)) is None else of(stem, data)
        for _, path, is_plain, stem in files
    ]


def read_plain(path: str | os.PathLike[str]) -> bytes | None:
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
