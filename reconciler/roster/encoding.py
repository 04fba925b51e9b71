"""How a roster file's bytes are to be read: its encoding and its delimiter, declared or detected."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Collection
from pathlib import Path

from reconciler.errors import RosterError

DELIMITERS = (",", "\t", ";", "|")
_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def detect_encoding(path: Path, declared: str, display: str) -> str:
    """The codec that reads the whole file without an error.

    Declared: that one, or RosterError csv.encoding. Else what a byte order mark says, else UTF-8, else
    UTF-16 without a mark, else Windows-1252, in which five bytes mean nothing and are an error.
    """
    if declared:
        _known(declared, display)
        candidates = [declared]
    else:
        candidates = _candidates(path)
    for codec in candidates:
        position = first_undecodable(path, codec)
        if position is None:
            return codec
    raise RosterError(
        f"{display} is not {' or '.join(candidates)}: byte {position} cannot be read",
        code="csv.encoding",
        hint="ask the district to export in UTF-8, or name the file's encoding in the mapper",
    )


def _known(codec: str, display: str) -> None:
    try:
        codecs.lookup(codec)
    except LookupError as error:
        raise RosterError(
            f"the mapper reads {display} as {codec!r}, which is no encoding that Python knows",
            code="csv.encoding",
            hint="use a name such as utf-8, cp1252 or utf-16",
        ) from error


def _candidates(path: Path) -> list[str]:
    with path.open("rb") as file:
        head = file.read(4096)
    for bom, codec in _BOMS:
        if head.startswith(bom):
            return [codec]
    if b"\0" in head[:200] and head.count(b"\0") * 3 > len(head):
        return ["utf-16-le" if head[1:2] == b"\0" else "utf-16-be"]
    return ["utf-8", "cp1252"]


def first_undecodable(path: Path, codec: str) -> int | None:
    """The position of the first byte that the codec refuses; None where it reads the whole file."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return done + error.start
            done += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return done
    return None


def detect_delimiter(header_line: str, wanted: Collection[str]) -> str:
    """The delimiter under which the header names most of the wanted columns, else the most columns."""
    known = {w.strip().casefold() for w in wanted}

    def score(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([header_line], delimiter=delimiter), [])
        found = sum(1 for cell in cells if cell.strip().strip("\ufeff").casefold() in known)
        return found, len(cells)

    return max(DELIMITERS, key=score)
