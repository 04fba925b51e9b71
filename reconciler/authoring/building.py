"""From plain values to pieces: a file that nobody has written yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.authoring.piece import Entry, Piece, raw_piece, text_piece
from reconciler.authoring.quoting import written
from reconciler.authoring.shape import Shape
from reconciler.documents.formats import is_date


def build(value: Any, shape: Shape, name: str = "", *, in_list: bool = False) -> Piece:
    """The piece of a value under the key `name`. What is short stands in braces: secrets, a list's items."""
    if isinstance(value, Mapping):
        entries = [Entry(written(k, flow=True), build(v, shape.member(k), k)) for k, v in value.items()]
        return Piece("mapping", flow=in_list or _is_reference(value), entries=entries)
    if isinstance(value, list):
        flow = not any(isinstance(item, dict | list) for item in value)
        items = [Entry("", build(item, shape.item(), name, in_list=True)) for item in value]
        return Piece("sequence", flow=flow, entries=items)
    if isinstance(value, str):
        return text_piece(value, name, is_day=shape.is_day and is_date(value))
    return raw_piece(json.dumps(value))


def _is_reference(value: Mapping[str, Any]) -> bool:
    """A secret's place, by one text on one line."""
    return len(value) == 1 and all(isinstance(v, str) and "\n" not in v for v in value.values())
