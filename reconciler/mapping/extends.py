"""A mapper that says only what differs from another one, written out in full.

A file is changed key by key, a source of an entity key by key, and a source's fields field by field; whatever
else is said (a field, a join, conditions) takes the place of the base's whole. `null` takes out. An object
changes every source of an entity that the base reads from a list of them; a list takes the place of all.
Name, description and tests are each mapper's own; the standard that the files follow is the base's, if the
mapper names none.

In the result, what the mapper says stands where it says it; what it has from its base stands at `extends`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.documents.document import Document
from reconciler.documents.node import Mark, Node, Path, values_of
from reconciler.errors import Problem
from reconciler.mapping.near import nearest

EXTENDS = "extends"
STANDARD = "standard"
_MERGED = ("files", "entities")
_EMPTY = Node({}, 0, 0)

Change = Callable[[Path, Node, Node], Node]
"""From (path, the base's value, the mapper's own) to the value that counts."""


def written_out(own: Document, base: Document) -> tuple[Document, list[Problem]]:
    """The mapper of `own` in full, and what it takes out although its base does not have it."""
    merge = _Merge(own.position((EXTENDS,)))
    content = {key: node for key, node in own.root.content.items() if key not in (EXTENDS, *_MERGED)}
    keys = dict(own.root.keys)
    if STANDARD in base.root.content:
        content.setdefault(STANDARD, base.root.content[STANDARD])
    changes = {"files": merge.files, "entities": merge.entities}
    for part, change in changes.items():
        keys.setdefault(part, merge.at)
        before = base.root.content.get(part, _EMPTY)
        content[part] = change((part,), before, own.root.content.get(part, merge.nothing))
    root = Node(content, *own.root.mark, keys=keys)
    document = Document(own.file, root, values_of(root))
    return document, [own.problem(p, "mapper.schema", message, hint) for p, message, hint in merge.lost]


class _Merge:
    """One mapper being written out; `at` is where its `extends` stands."""

    def __init__(self, at: Mark):
        self.at = at
        self.nothing = Node({}, *at)
        self.lost: list[tuple[Path, str, str]] = []

    def files(self, path: Path, base: Node, own: Node) -> Node:
        return self._by_key(path, base, own, self._keys)

    def entities(self, path: Path, base: Node, own: Node) -> Node:
        return self._by_key(path, base, own, self._sources)

    def _sources(self, path: Path, base: Node, own: Node) -> Node:
        if not (isinstance(base.content, list) and isinstance(own.content, dict)):
            return self._source(path, base, own)
        before, self.lost = self.lost, []
        changed = [self._source(path, source, own) for source in base.content]
        times = Counter(place for place, _, _ in self.lost)
        first = {lost[0]: lost for lost in reversed(self.lost)}
        # What at least one of the sources has was there to be taken out.
        self.lost = before + [lost for place, lost in first.items() if times[place] == len(changed)]
        return Node(changed, *own.mark)

    def _source(self, path: Path, base: Node, own: Node) -> Node:
        def change(inner: Path, before: Node, after: Node) -> Node:
            return self._keys(inner, before, after) if inner[-1] == "fields" else after

        return self._by_key(path, base, own, change)

    def _keys(self, path: Path, base: Node, own: Node) -> Node:
        return self._by_key(path, base, own, _replace)

    def _by_key(self, path: Path, base: Node, own: Node, change: Change) -> Node:
        """The base's keys and those of the mapper's own, which count where both have one."""
        if not (isinstance(base.content, dict) and isinstance(own.content, dict)):
            return own
        content = {key: self._moved(node) for key, node in base.content.items()}
        for key, node in own.content.items():
            if node.content is not None:
                content[key] = change((*path, key), base.content[key], node) if key in content else node
            elif content.pop(key, None) is None:
                self._lose((*path, key), base.content)
        return Node(content, *own.mark, keys=dict.fromkeys(content, self.at) | dict(own.keys))

    def _moved(self, node: Node) -> Node:
        """A value of the base, all of it standing at `extends`."""
        content: Any = node.content
        keys: Mapping[str, Mark] = {}
        if isinstance(content, dict):
            content = {key: self._moved(member) for key, member in content.items()}
            keys = dict.fromkeys(content, self.at)
        elif isinstance(content, list):
            content = [self._moved(item) for item in content]
        return Node(content, *self.at, node.plain, keys)

    def _lose(self, path: Path, known: Mapping[str, Node]) -> None:
        name = path[-1]
        self.lost.append((path, f"there is no {name!r} to take out", nearest(str(name), known)))


def _replace(_path: Path, _base: Node, own: Node) -> Node:
    return own
