"""What the schema says of a place in a file: the order of its keys, and whether a day belongs there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ALTERNATIVES = ("oneOf", "anyOf", "allOf")
_BRANCHES = ("then", "else")


@dataclass(frozen=True, slots=True)
class Shape:
    """The schemas that may apply at one place; none where the schema does not know it."""

    root: Mapping[str, Any]
    schemas: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Shape:
        """The shape of a whole document."""
        return cls(schema, (schema,))

    def order(self) -> list[str]:
        """The keys of a mapping in the schema's order, which is that of the reference."""
        return list(dict.fromkeys(k for s in self._all() for k in s.get("properties", ())))

    def member(self, key: str) -> Shape:
        """The shape of a mapping's member."""
        return self._at(s.get("properties", {}).get(key, s.get("additionalProperties")) for s in self._all())

    def item(self) -> Shape:
        """The shape of a list's items."""
        return self._at(s.get("items") for s in self._all())

    @property
    def is_day(self) -> bool:
        """Whether a day belongs here, which needs no quotes."""
        return any(s.get("format") == "date" for s in self._all())

    def _at(self, found: Iterator[Any]) -> Shape:
        return Shape(self.root, tuple(s for s in found if isinstance(s, Mapping)))

    def _all(self) -> Iterator[Mapping[str, Any]]:
        """Every schema that may apply, references followed."""
        for schema in self.schemas:
            yield from self._expanded(schema)

    def _expanded(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield schema
        reference = schema.get("$ref", "")
        if reference.startswith("#/$defs/"):
            yield from self._expanded(self.root["$defs"][reference.rpartition("/")[2]])
        within = [s for name in _ALTERNATIVES for s in schema.get(name, ())]
        within += [schema[name] for name in _BRANCHES if name in schema]
        for one in within:
            if isinstance(one, Mapping):
                yield from self._expanded(one)
