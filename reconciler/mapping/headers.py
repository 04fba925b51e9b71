"""What the columns of a header are called in the mapper: a system's exports spell one column in many ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from reconciler.mapping.columns import loose

_PUNCTUATION = re.compile(r"[\s_\-./:'()]+")


def renamed(header: Sequence[str], columns: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """The header with each column under the name that the mapper has for it.

    `columns` has the mapper's names, each with its others. Its own name goes before all others, of these
    the first that the header has counts, and a column gets one name only. Where two columns of a header
    are spelled alike but for punctuation, both get the name: the file is refused for having it twice.
    """
    columns = list(columns)
    names = _Names(header)
    for spelled in (loose, _bare):
        names.give(((column, column) for column, _ in columns), spelled)
    names.give(((column, other) for column, others in columns for other in others), _bare)
    return tuple(names.names)


class _Names:
    """A header whose columns are being named, each once."""

    def __init__(self, header: Sequence[str]):
        self.names = list(header)
        self._header = header
        self._open = {place for place, name in enumerate(header) if name}
        self._given: set[str] = set()

    def give(self, pairs: Iterable[tuple[str, str]], spelled: Callable[[str], str]) -> None:
        """For each pair, call what is spelled as its second text by its first, where nothing is yet."""
        places: dict[str, list[int]] = {}
        for place, name in enumerate(self._header):
            places.setdefault(spelled(name), []).append(place)
        for column, other in pairs:
            found = self._open.intersection(places.get(spelled(other), ()))
            if found and column not in self._given:
                self._given.add(column)
                self._open -= found
                for place in found:
                    self.names[place] = column


def _bare(name: str) -> str:
    """A name without what spellings differ in: case, spaces, underscores and other punctuation."""
    return _PUNCTUATION.sub("", loose(name))
