"""The valid districts of a repository, each made of its file when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.config.district import District
from reconciler.config.district_file import parse_district_file
from reconciler.config.fingerprint import Fingerprints
from reconciler.config.source import Source, fetch
from reconciler.errors import ConfigError


class Districts(Mapping[str, District]):
    """By id, sorted. A file that was only recognized is read at the first question."""

    __slots__ = ("_entries", "_fingerprints")

    def __init__(self, entries: Mapping[str, District | Source], fingerprints: Fingerprints):
        self._entries = dict(sorted(entries.items(), key=lambda entry: entry[0]))
        self._fingerprints = fingerprints

    def __getitem__(self, name: str) -> District:
        """Raises ConfigError for a file that is not any more what it was when the repository was read."""
        entry = self._entries[name]
        if isinstance(entry, Source):
            entry = self._entries[name] = self._read(entry)
        return entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        return f"Districts({', '.join(self._entries)})"

    def _read(self, source: Source) -> District:
        recognized = source.fingerprint
        fetch(source, self._fingerprints)
        if source.data is None or source.fingerprint != recognized:
            raise ConfigError(
                f"{source.file.name} was changed while it was read",
                code="config.syntax",
                hint="run the command again",
            )
        read = parse_district_file(source.data, file=source.file.name)
        source.data = None
        if read.district is None:
            raise ConfigError(f"{source.file.name} is not valid", read.problems)
        return read.district
