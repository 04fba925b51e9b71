"""How a roster file's bytes are to be read: its encoding and its delimiter, declared or detected."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from pathlib import Path

from reconciler.errors import RosterError
from reconciler.mapping.columns import is_text_encoding, loose
from reconciler.roster.reading.lines import cells_of

_NO_TEXT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"%PDF-", "a PDF document"),
)
"""How files begin that are no text, whatever their names say."""
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
    UTF-16 without a mark, else Windows-1252, in which five bytes mean nothing and are an error. So is a
    file that is UTF-8 but for a few bytes: as Windows-1252 every accented name in it would come out wrong.
    """
    _refuse_no_text(path, display)
    if declared:
        _refuse_unknown(declared, display)
        candidates = [declared]
    else:
        candidates = _candidates(path)
    position = None
    for codec in candidates:
        if codec == "cp1252" and not declared and _is_mostly_utf8(path):
            candidates = ["utf-8"]
            break
        position = first_undecodable(path, codec)
        if position is None:
            return codec
    raise RosterError(
        f"{display} is not {' or '.join(candidates)}: byte {position} cannot be read",
        code="csv.encoding",
        hint="ask the district to export in UTF-8, or name the file's encoding in the mapper",
    )


def _refuse_no_text(path: Path, display: str) -> None:
    with path.open("rb") as file:
        head = file.read(8)
    for start, kind in _NO_TEXT:
        if head.startswith(start):
            raise RosterError(
                f"{display} is {kind}, and no text",
                code="csv.encoding",
                hint="ask the district to export CSV files; archives are read by their endings .zip and .gz",
            )


def _refuse_unknown(codec: str, display: str) -> None:
    if not is_text_encoding(codec):
        raise RosterError(
            f"the mapper reads {display} as {codec!r}, which is no encoding that Python knows",
            code="csv.encoding",
            hint="use a name such as utf-8, cp1252 or utf-16",
        )


def _candidates(path: Path) -> list[str]:
    with path.open("rb") as file:
        head = file.read(8)
    for bom, codec in _BOMS:
        if head.startswith(bom):
            return [codec]
    # A header begins with Latin letters: in UTF-16 every other byte of them is zero.
    for zeros, letters, codec in ((head[1::2], head[::2], "utf-16-le"), (head[::2], head[1::2], "utf-16-be")):
        if zeros and not any(zeros) and all(letters):
            return [codec]
    return ["utf-8", "cp1252"]


def first_undecodable(path: Path, codec: str) -> int | None:
    """The position of the first byte that the codec refuses; None where it reads the whole file."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    done = 0
    for chunk in _chunks(path):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            return done - pending + getattr(error, "start", 0)
        done += len(chunk)
    return None


def _is_mostly_utf8(path: Path) -> bool:
    """Whether more characters beyond ASCII are UTF-8 than bytes are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for chunk in _chunks(path):
        beyond = [c for c in decoder.decode(chunk, final=not chunk) if c > "\x7f"]
        wrong = sum(1 for c in beyond if "\udc80" <= c <= "\udcff")
        good, bad = good + len(beyond) - wrong, bad + wrong
    return good > bad


def _chunks(path: Path) -> Iterator[bytes]:
    """The file piece by piece, and at its end an empty piece."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
    yield b""


def detect_delimiter(header_line: str, wanted: Collection[str]) -> str:
    """The delimiter under which the header names most of the wanted columns, else the most columns."""
    known = {loose(w) for w in wanted}

    def score(delimiter: str) -> tuple[int, int]:
        cells = cells_of(header_line, delimiter)
        return sum(1 for cell in cells if loose(cell) in known), len(cells)

    return max(DELIMITERS, key=score)
