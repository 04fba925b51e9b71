"""A file's text in canonical form: never another meaning, never a lost comment."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from reconciler.authoring.comments import comments_of
from reconciler.authoring.printing import printed
from reconciler.authoring.quoting import IDS
from reconciler.authoring.reading import read_pieces
from reconciler.authoring.shape import Shape
from reconciler.documents.node import Node
from reconciler.documents.reader import MAX_BYTES, parse_document
from reconciler.documents.text import decode
from reconciler.errors import ConfigError


def format_text(data: bytes, *, file: str, schema: Mapping[str, Any], max_bytes: int = MAX_BYTES) -> str:
    """The canonical text of a YAML file, `file` in messages.

    Ids that lack their quotes get them, as they are written: that is the one repair that is made. Raises
    ConfigError for a file that is not valid YAML, and `config.format` for one that would not mean the same.
    """
    before = parse_document(data, display=file, max_bytes=max_bytes)
    source = decode(data).replace("\r\n", "\n")
    text = printed(*read_pieces(source, Shape.of(schema)))
    after = _read_back(text, file, max_bytes)
    if after is None or _meaning(before.root) != _meaning(after) or _words(source) != _words(text):
        raise ConfigError(
            f"{file} cannot be formatted without changing what it says; it was left alone",
            code="config.format",
            hint="write what is unusual in it more plainly: multi-line texts, explicit keys (?), comments "
            "within braces",
        )
    return text


def _read_back(text: str, file: str, max_bytes: int) -> Node | None:
    try:
        return parse_document(text.encode(), display=file, max_bytes=max_bytes).root
    except ConfigError:
        return None


def _meaning(node: Node) -> str:
    """What a document says, as a text to be compared; an id without quotes counts as it is written."""
    return json.dumps(_value(node, ""), sort_keys=True)


def _value(node: Node, name: str) -> Any:
    if isinstance(node.content, dict):
        return {key: _value(member, key) for key, member in node.content.items()}
    if isinstance(node.content, list):
        return [_value(item, name) for item in node.content]
    if name in IDS and node.plain is not None and node.content is not None:
        return node.plain
    return node.content


def _words(text: str) -> Counter[str]:
    return Counter(comments_of(text))
