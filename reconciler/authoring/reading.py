"""From a text to pieces: values as they are to be written, in canonical order, each with its comments."""

from __future__ import annotations

from reconciler.authoring.comments import Anchor, attach
from reconciler.authoring.piece import Entry, Piece, raw_piece, text_piece
from reconciler.authoring.quoting import IDS, written
from reconciler.authoring.shape import Shape
from reconciler.documents.formats import is_date
from reconciler.documents.layout import Laid, lay_out
from reconciler.documents.scalars import resolve

_MODELINE = "yaml-language-server"


def read_pieces(text: str, shape: Shape) -> tuple[list[str], Piece]:
    """The comments at the head of the file, and the document. `text` was read without a problem."""
    laid = lay_out(text)
    anchors: list[Anchor] = []
    root = _piece(laid, shape, "", anchors)
    attach(text, laid, root, anchors)
    head = _head(root)
    _arrange(root, shape)
    return head, root


def _piece(laid: Laid, shape: Shape, name: str, anchors: list[Anchor]) -> Piece:
    if laid.kind == "scalar":
        return _scalar(laid, shape, name)
    piece = Piece(laid.kind, flow=laid.flow)
    for one in laid.entries:
        key = one.key.text if one.key else ""
        entry = Entry(written(key, flow=True) if one.key else "", piece)
        anchors.append(Anchor(entry, one, laid, piece))
        below = shape.member(key) if one.key else shape.item()
        entry.value = _piece(one.value, below, key or name, anchors)
        piece.entries.append(entry)
    return piece


def _scalar(laid: Laid, shape: Shape, name: str) -> Piece:
    if laid.style:
        return text_piece(laid.text, name, is_day=shape.is_day and is_date(laid.text))
    if name in IDS and resolve(laid.text) is not None:
        return text_piece(laid.text, name)
    if isinstance(resolve(laid.text), str):
        return text_piece(laid.text, name, is_day=shape.is_day and is_date(laid.text))
    return raw_piece(laid.text)


def _head(root: Piece) -> list[str]:
    """Take the file's own comments from its first key: all up to the last empty line, or the modeline."""
    if not root.entries:
        return []
    above = root.entries[0].above
    while above and not above[0]:
        del above[0]
    cut = max((i + 1 for i, line in enumerate(above) if not line), default=0)
    if not cut and above and _MODELINE in above[0]:
        cut = 1
    head, root.entries[0].above = above[:cut], above[cut:]
    return head


def _arrange(piece: Piece, shape: Shape) -> None:
    """Keys in the schema's order, unknown ones after them; no empty line opens a collection."""
    order = {key: place for place, key in enumerate(shape.order())}
    if piece.kind == "mapping":
        piece.entries.sort(key=lambda e: order.get(e.key, len(order)))
    for entry in piece.entries:
        _arrange(entry.value, shape.item() if piece.kind == "sequence" else shape.member(entry.key))
    if piece.entries:
        first = piece.entries[0].above
        while first and not first[0]:
            del first[0]
