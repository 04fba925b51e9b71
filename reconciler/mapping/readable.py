"""Which of a mapper's sources can be read from the tables at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from reconciler.errors import MapperError
from reconciler.mapping.columns import Table
from reconciler.mapping.compile import compile_source
from reconciler.mapping.model import Mapper, Source
from reconciler.mapping.scope import MissingColumnError


def readable_sources(
    mapper: Mapper, entity: str, tables: Mapping[str, Table]
) -> Iterator[tuple[int, Source, str]]:
    """The sources of an entity that these files have, each with its number and its query.

    One that says `instead` is left out where the one before it was not. Where none of such a row of sources
    can be read, the error is that of the first, which most exports are meant to fit.
    """
    entity_map = mapper.entities.get(entity)
    numbered = enumerate(entity_map.sources if entity_map else ())
    is_read, first = False, None
    for _, repeated in groupby(numbered, key=lambda pair: pair[1].path):
        parts = list(repeated)
        if not parts[0][1].instead:
            is_read, first = False, parts[0][1]
        elif is_read:
            continue
        try:
            found = [(part, source, source_query(mapper, source, entity, tables)) for part, source in parts]
        except MapperError:
            if first:
                source_query(mapper, replace(first, optional=False), entity, tables)
            raise
        is_read = any(query for *_, query in found)
        yield from ((part, source, query) for part, source, query in found if query)


def source_query(mapper: Mapper, source: Source, entity: str, tables: Mapping[str, Table]) -> str | None:
    """As `compile_source`; a column that is missing is told with the place in the mapper that reads it."""
    try:
        return compile_source(source, entity, tables)
    except MissingColumnError as error:
        raise error.at(mapper.place(error.path)) from None
