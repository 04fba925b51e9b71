"""The valid districts of a repository, each made of its file when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from reconciler.config.defaults import Defaults
from reconciler.config.district import District
from reconciler.config.district_file import parse_district_file
from reconciler.config.fingerprint import Fingerprints
from reconciler.config.source import Source, fetch
from reconciler.errors import ConfigError

V = TypeVar("V")


class Late(Mapping[str, V]):
    """A mapping that is made at the first question to it: many commands ask none."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], dict[str, V]]):
        self._make = make
        self._made: dict[str, V] | None = None

    @property
    def _values(self) -> dict[str, V]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> V:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values


class Districts(Mapping[str, District]):
    """By id, sorted. A file that was only recognized is read at the first question."""

    __slots__ = ("_defaults", "_entries", "_fingerprints", "_read")

    def __init__(
        self, entries: Mapping[str, District | Source], fingerprints: Fingerprints, defaults: Defaults
    ):
        """`entries` in their order."""
        self._entries, self._fingerprints, self._defaults = entries, fingerprints, defaults
        self._read: dict[str, District] = {}

    def __getitem__(self, name: str) -> District:
        """Raises ConfigError for a file that is not any more what it was when the repository was read."""
        entry = self._entries[name]
        if not isinstance(entry, Source):
            return entry
        if name not in self._read:
            self._read[name] = self._reading(entry)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        return f"Districts({', '.join(self._entries)})"

    def _reading(self, source: Source) -> District:
        now = Source(source.file, source.fingerprint)
        fetch(now, self._fingerprints)
        if now.data is None or now.fingerprint != source.fingerprint:
            raise ConfigError(
                f"{source.file.name} was changed while it was read",
                code="config.syntax",
                hint="run the command again",
            )
        read = parse_district_file(now.data, file=source.file.name, defaults=self._defaults)
        if read.district is None:
            raise ConfigError(f"{source.file.name} is not valid", read.problems)
        return read.district
