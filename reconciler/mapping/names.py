"""Which columns of a file hold the names of people: there a word such as NULL may be somebody's."""

from __future__ import annotations

from reconciler.mapping.columns import placeholders, split_alias
from reconciler.mapping.model import Mapper

_NAMES = ("first_name", "last_name", "middle_name", "preferred_name", "name")


def name_columns(mapper: Mapper, file: str) -> set[str]:
    """The columns of one of the mapper's files, as it spells them, from which a person's name is made."""
    found = set()
    for entity in mapper.entities.values():
        for source in entity.sources if entity.entity != "schools" else ():
            joined = {join.alias: join.file for join in source.joins}
            for field in (f for f in source.fields if f.name in _NAMES):
                for column in (*field.columns, *placeholders(field.template or "")):
                    alias, rest = split_alias(column, joined)
                    found.add((joined[alias], rest) if alias else (source.file, column))
    return {column for read, column in found if read == file}
