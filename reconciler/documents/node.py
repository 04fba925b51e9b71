"""A document as a tree of values that remember where they were written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

Step = TypeVar("Step", str, int, str | int)

Path = tuple[str | int, ...]
"""The way to a value: keys and list indexes, from the root."""

Mark = tuple[int, int]
"""Line and column, both counted from 1; (0, 0) is the file as a whole."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Unquoted(str):
    """Text without quotes that many YAML readers would take for something else: `0042`, `no`."""

    __slots__ = ()


class Node(NamedTuple):
    """One value: a scalar, a mapping or a list."""

    content: Any
    """A scalar's value, or `dict[str, Node]`, or `list[Node]`."""
    line: int
    column: int
    plain: str | None = None
    """A scalar that stands without quotes: its text as written."""
    keys: Mapping[str, Mark] = MappingProxyType({})
    """Where each key of a mapping was written."""

    @property
    def mark(self) -> Mark:
        return self.line, self.column


def values_of(node: Node) -> Any:
    """The tree as plain dicts, lists and scalars. Readers cap the depth, so recursion is safe."""
    content = node.content
    if isinstance(content, dict):
        return {key: values_of(member) for key, member in content.items()}
    if isinstance(content, list):
        return [values_of(item) for item in content]
    return content


def child(node: Node, step: str | int) -> Node | None:
    """The member or item at one step, or None where there is none."""
    content = node.content
    if isinstance(content, dict):
        return content.get(step) if isinstance(step, str) else None
    if isinstance(content, list) and isinstance(step, int) and 0 <= step < len(content):
        item: Node = content[step]
        return item
    return None


def shortened(step: Step) -> Step:
    """A key that is fit to be shown; hostile ones are long."""
    return f"{step[:79]}…" if isinstance(step, str) and len(step) > 80 else step


def quoted(step: str | int) -> str:
    """A key in quotes, on one line: a key may hold a line break, and a message may not."""
    return json.dumps(shortened(step), ensure_ascii=False)


def dotted(path: Path) -> str:
    """A path for people: `schools[2].sis_id`; keys that are not plain names stand in quotes."""
    parts: list[str] = []
    for step in map(shortened, path):
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{quoted(step)}]")
    return "".join(parts)
