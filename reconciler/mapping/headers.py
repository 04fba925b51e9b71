"""What the columns of a header are called in the mapper: a system's exports spell one column in many ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from reconciler.mapping.columns import loose

_PUNCTUATION = re.compile(r"[\s_\-./:'()]+")


def renamed(header: Sequence[str], columns: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """The header with each column under the name that the mapper has for it.

    `columns` has the mapper's names, each with its others. Its own name goes before all others, of
    these the first that the header has counts, and a column gets one name only. Where two columns of a
    header are spelled alike but for punctuation, both get the name: the file is refused for having it twice.
    """
    names = _Names(header)
    for spelled in (loose, _bare):
        for column, _ in columns:
            names.give(column, column, spelled)
    for column, others in columns:
        for other in others:
            names.give(column, other, _bare)
    return tuple(names.names)


class _Names:
    """A header whose columns are being named, each once."""

    def __init__(self, header: Sequence[str]):
        self.names = list(header)
        self._header = header
        self._open = [place for place, name in enumerate(header) if name]
        self._given: set[str] = set()

    def give(self, column: str, other: str, spelled: Callable[[str], str]) -> None:
        """Call the columns that are spelled as `other` by the name `column`, unless there is one already."""
        places = [p for p in self._open if spelled(self._header[p]) == spelled(other)]
        if column in self._given or not places:
            return
        self._given.add(column)
        for place in places:
            self.names[place] = column
            self._open.remove(place)


def _bare(name: str) -> str:
    """A name without what spellings differ in: case, spaces, underscores and other punctuation."""
    return _PUNCTUATION.sub("", loose(name))
