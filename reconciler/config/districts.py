"""The valid districts of a repository, each made of its file when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.config.district import District
from reconciler.config.district_file import parse_district_file
from reconciler.config.source import Source
from reconciler.errors import ConfigError


class Districts(Mapping[str, District]):
    """By id, sorted. A file that was only recognized is read at the first question, from the same bytes."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[str, District | Source]):
        self._entries = {name: entries[name] for name in sorted(entries)}

    def __getitem__(self, name: str) -> District:
        entry = self._entries[name]
        if isinstance(entry, Source):
            entry = self._entries[name] = _read(entry)
        return entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        return f"Districts({', '.join(self._entries)})"


def _read(source: Source) -> District:
    """Raises ConfigError where the file is not what was remembered of it: then no memory may be believed."""
    read = parse_district_file(source.data or b"", file=source.file.name)
    if read.district is None:
        raise ConfigError(f"{source.file.name} is not valid", read.problems)
    return read.district
