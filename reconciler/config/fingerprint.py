"""A file's fingerprint: equal ones read alike, so what was found in one need not be looked for in the other.

It is a SHA-256 over the file's bytes, its district's id, and all else that decides what a reading finds in
it: reconciler.yaml, the schema, the program that reads, and the libraries and the Python that it reads with.
Nothing of the machine is in it, no path and no time, so that a fresh checkout elsewhere has the same ones.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from reconciler import __version__

_PACKAGE = Path(__file__).parent.parent
_DISTRICTS = ("config", "documents")
"""The packages that decide on their own what a district file means; nothing else of the program does."""
_MAPPERS = ("documents", "mapping")
"""The same of a mapper, which may extend those that ship with the program."""
_LIBRARIES = re.compile(r"(?:croniter|jsonschema|pyyaml|tzdata)-.*\.dist-info", re.IGNORECASE)


class Fingerprints:
    """Makes the fingerprints of one repository's district files."""

    def __init__(self, settings: bytes):
        """`settings`: reconciler.yaml as it stands; empty where there is none."""
        self._start = hashlib.sha256(_reader_digest(_DISTRICTS, "district"))
        _add(self._start, settings)

    def of(self, district: str, data: bytes) -> str:
        """The fingerprint of the file of this district."""
        digest = self._start.copy()
        # An id has no line break, so where it ends is plain.
        digest.update(district.encode("utf-8", "surrogateescape") + b"\n")
        digest.update(data)
        return digest.hexdigest()


def fingerprint_of_mappers(root: Path) -> str:
    """Of all mappers that a district of this repository may name, taken together; half of a SHA-256.

    Where it is the same, every mapper is. Which of them differs otherwise is for those to say who read them.
    Empty where a file cannot be read.
    """
    digest = hashlib.sha256(_reader_digest(_MAPPERS, "mapper"))
    folders = (_PACKAGE / "mapping" / "builtin", root / "mappers")
    try:
        for path in (path for folder in folders for path in sorted(folder.glob("*"))):
            if path.is_file() and not path.name.startswith("."):
                _add(digest, os.fsencode(path.name))
                _add(digest, path.read_bytes())
    except OSError:
        return ""
    return digest.hexdigest()[:32]


@lru_cache
def _reader_digest(packages: tuple[str, ...], schema: str) -> bytes:
    """Of the program, its schema, its libraries and Python: another one may read the same bytes otherwise."""
    digest = hashlib.sha256()
    for part in (__version__, f"{sys.version_info[:2]} {sys.implementation.name}", *sorted(_libraries())):
        _add(digest, part.encode())
    for path in _sources(packages, f"{schema}.schema.json"):
        _add(digest, path.name.encode())
        _add(digest, path.read_bytes())
    return digest.digest()


def _sources(packages: tuple[str, ...], schema: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((_PACKAGE / package).glob("*.py"))
    # An installed package carries its schemas; a checkout has them beside it.
    for folder in (_PACKAGE / "schemas", _PACKAGE.parent / "schemas"):
        if (folder / schema).is_file():
            yield folder / schema
            return


def _libraries() -> Iterator[str]:
    """The names, with versions, of the libraries that take part: of each the first that would be imported."""
    seen: set[str] = set()
    for folder in sys.path:
        try:
            names = [name for name in os.listdir(folder or ".") if _LIBRARIES.fullmatch(name)]  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.partition("-")[0] not in seen:
                yield name.lower()
        seen.update(name.partition("-")[0] for name in names)


def _add(digest: hashlib._Hash, part: bytes) -> None:
    """Each part with its length before it: where one ends and the next begins is plain."""
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)
