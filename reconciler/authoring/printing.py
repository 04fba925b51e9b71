"""Pieces to text: two spaces a level, lists below their key, comments where they belong."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.authoring.piece import Entry, Piece

WIDTH = 110
"""Characters of a line; braces and brackets that are longer are written line by line."""
_STEP = 2


def printed(head: Sequence[str], root: Piece) -> str:
    """The whole file, with one newline at its end."""
    lines = [*head, *_collection(root, 0)]
    while lines and not lines[-1]:
        del lines[-1]
    return "\n".join(lines) + "\n"


def _collection(piece: Piece, indent: int) -> list[str]:
    """The lines of a mapping or list that is written line by line."""
    lines: list[str] = []
    for entry in piece.entries:
        if piece.flow:
            entry.beside_column = 0
        _hoist(entry, indent)
        lines += _comments(entry.above, indent)
        lines += _entry(entry, indent)
    return lines + _comments(piece.foot, indent)


def _hoist(item: Entry, indent: int) -> None:
    """An item that is written line by line begins at its dash: what stands above its first entry, or beside
    the dash, goes above the dash.
    """
    if item.key or item.value.block or _inline(item, indent) is not None:
        return
    first = item.value.entries[0]
    if item.value.kind == "sequence":
        _hoist(first, indent + _STEP)
    item.above += [line for line in (*first.above, item.beside) if line]
    first.above, item.beside = [], ""


def _entry(entry: Entry, indent: int) -> list[str]:
    opening = _opening(entry, indent)
    if entry.value.block:
        body = [" " * (indent + _STEP) + line for line in entry.value.block[1:]]
        return [_beside(f"{opening} {entry.value.block[0]}", entry), *body]
    line = _inline(entry, indent)
    if line is not None:
        return [_beside(f"{opening} {line}".rstrip(), entry)]
    below = _collection(entry.value, indent + _STEP)
    if entry.key:
        return [_beside(opening, entry), *below]
    return [f"{opening} {below[0][indent + _STEP :]}", *below[1:]]


def _opening(entry: Entry, indent: int) -> str:
    return " " * indent + (f"{entry.key}:" if entry.key else "-")


def _inline(entry: Entry, indent: int) -> str | None:
    """The value as it follows its key or dash; None where it is written line by line below."""
    line = _one_line(entry.value)
    if line is None or not entry.value.entries:
        return line
    return line if len(_opening(entry, indent)) + 1 + len(line) <= WIDTH else None


def _one_line(piece: Piece) -> str | None:
    """A scalar, or a collection in braces or brackets; None for one that is written line by line."""
    if piece.kind == "scalar":
        return piece.text
    if not piece.entries and not piece.foot:
        return "{}" if piece.kind == "mapping" else "[]"
    return _within(piece) if piece.flow and not _has_comments(piece) else None


def _within(piece: Piece) -> str:
    if piece.kind == "scalar":
        return piece.within
    items = [f"{e.key}: {_within(e.value)}" if e.key else _within(e.value) for e in piece.entries]
    return f"{{{', '.join(items)}}}" if piece.kind == "mapping" else f"[{', '.join(items)}]"


def _has_comments(piece: Piece) -> bool:
    return bool(piece.foot) or any(any(e.above) or e.beside or _has_comments(e.value) for e in piece.entries)


def _beside(line: str, entry: Entry) -> str:
    if not entry.beside:
        return line
    return line.ljust(max(entry.beside_column, len(line) + 2)) + entry.beside


def _comments(lines: Sequence[str], indent: int) -> list[str]:
    return [" " * indent + line if line else "" for line in lines]
