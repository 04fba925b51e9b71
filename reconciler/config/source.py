"""The bytes of all district files, read at once: thousands of small files, at little more than they cost."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.config.district_file import MAX_BYTES
from reconciler.config.find import FoundFile
from reconciler.config.fingerprint import Fingerprints

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class Source:
    """A district file that was found, and its bytes where it is one of the usual kind."""

    file: FoundFile
    data: bytes | None
    """None: a link, too large, not to be read, …: whoever reads it with care will say what."""
    fingerprint: str = ""
    """Empty where there are no bytes."""


def read_sources(files: Sequence[FoundFile], fingerprints: Fingerprints) -> list[Source]:
    """Every file with its fingerprint, in the order given. Never raises for what a file is."""
    of = fingerprints.of
    sources = []
    for file in files:
        data = _read(file.path) if file.is_plain else None
        sources.append(Source(file, data, of(file.stem, data) if data is not None else ""))
    return sources


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
        status = os.fstat(handle)
        if status.st_size > MAX_BYTES or not stat.S_ISREG(status.st_mode):
            return None
        # More or less than its size: it is being written, or the file system gives it in pieces.
        data = os.read(handle, status.st_size + 1)
        return data if len(data) == status.st_size else None
    except OSError:
        return None
    finally:
        os.close(handle)
