"""Whether a file is so regular that the bulk loader may read it as it is.

Most files are: one row a line, every quote where the standard (RFC 4180) wants it, one kind of line break,
UTF-8 in composed form. Such a file reads the same in every parser, so the bulk loader may have it, which is
many times faster than a loop over rows. Every other file goes the careful way of `reader`, which gives up on
no good row because of a bad one.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from reconciler.roster.reading.trailers import CTRL_Z, is_trailer

_CHUNK = 4 << 20
_MAX_LINE = 1 << 20
"""Bytes of a line. The bulk loader takes lines of up to twice that."""
_RARE_SPACES = [bytes([c]) for c in b"\t\x0b\x0c\x1c\x1d\x1e\x1f"]


@dataclass(slots=True)
class Regular:
    """What a regular file is like."""

    lines: int = 0
    """Line breaks, and a last line without one."""
    newline: str = "\n"
    only_plain_spaces: bool = True
    """Whether no cell can have another white space at its ends than U+0020."""
    ends_with_newline: bool = True


def regularity(path: Path, codec: str, delimiter: str) -> Regular | None:
    """What the file is like, or None where it is not regular. It has been found to be of this encoding.

    Regular means: UTF-8 in composed form, no NUL, no Ctrl-Z and no trailer, line breaks all LF or all CRLF, a
    quote only around a whole cell or doubled inside one, and no line break inside a cell. Rows of another
    width than the header's, and blank ones, show when the rows that were loaded are counted.
    """
    if codec not in ("utf-8", "utf-8-sig") or not delimiter.isascii():
        return None
    found, last = Regular(), b""
    with path.open("rb") as file:
        for number, chunk in enumerate(_whole_lines(file)):
            if number == 0 and b"\r\n" in chunk:
                found.newline = "\r\n"
            if not _is_regular(chunk, delimiter.encode(), found.newline):
                return None
            found.ends_with_newline = chunk.endswith(b"\n")
            last = chunk.rstrip(b"\r\n").rpartition(b"\n")[2]
            found.lines += chunk.count(b"\n") + (not found.ends_with_newline)
            found.only_plain_spaces &= _has_only_plain_spaces(chunk, delimiter.encode())
    # What says at the end that the file ends here is no row.
    return None if is_trailer(last.decode(errors="replace")) else found


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces of some megabytes that end with a line break, unless a line is endless."""
    rest = b""
    while piece := file.read(_CHUNK):
        rest += piece
        cut = rest.rfind(b"\n") + 1 or (len(rest) > 2 * _MAX_LINE and len(rest))
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _is_regular(chunk: bytes, delimiter: bytes, newline: str) -> bool:
    breaks, returns = chunk.count(b"\n"), chunk.count(b"\r")
    pairs = chunk.count(b"\r\n") if returns else 0
    return (
        b"\0" not in chunk
        and CTRL_Z.encode() not in chunk
        and returns == pairs == (breaks if newline == "\r\n" else 0)
        and len(chunk) <= _MAX_LINE * max(breaks, 1)
        and (b'"' not in chunk or _is_well_quoted(chunk, delimiter))
        and (chunk.isascii() or unicodedata.is_normalized("NFC", chunk.decode(errors="replace")))
    )


def _is_well_quoted(chunk: bytes, delimiter: bytes) -> bool:
    """Whether every quote opens a cell, closes one, or is doubled in one, and no cell has a line break."""
    pieces = chunk.split(b'"')
    outside, inside = pieces[::2], pieces[1::2]
    if len(pieces) % 2 == 0 or any(b"\n" in piece for piece in inside):
        return False
    # Two quotes with nothing between them are one that is doubled inside a cell.
    bound = re.escape(delimiter) + rb"\n"
    return not re.search(rb'"[^"\r' + bound + rb']|[^"' + bound + rb']"', b'"'.join(outside))


def _has_only_plain_spaces(chunk: bytes, delimiter: bytes) -> bool:
    return chunk.removeprefix(codecs.BOM_UTF8).isascii() and not any(
        space in chunk for space in _RARE_SPACES if space != delimiter
    )
