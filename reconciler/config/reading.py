"""Reads district files that nothing is known of: one after the other, or in as many processes as help."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from reconciler.config.copies import Copy, how_many
from reconciler.config.defaults import Defaults
from reconciler.config.district_file import SCHEMA, DistrictFile, parse_district_file, read_district_file
from reconciler.config.source import Source
from reconciler.documents.schema import load_schema, prepare

_WORTH_A_PROCESS = 500
"""So many files take about a third of a second; a process and its answer cost a few hundredths."""


def read_all(sources: Sequence[Source], root: Path, defaults: Defaults) -> list[DistrictFile]:
    """Each file read and checked as the defaults complete it, in the order given.

    Never raises for what a file says.
    """
    shares = _shares(sources, how_many(len(sources), _WORTH_A_PROCESS))
    if len(shares) > 1:
        load_readers()
    others = [Copy(partial(_read_share, share, root, defaults)) for share in shares[1:]]
    found = _read_share(shares[0], root, defaults)
    for other in others:
        found += other.result()
    return found


def _read_share(sources: Sequence[Source], root: Path, defaults: Defaults) -> list[DistrictFile]:
    return [_read(source, root, defaults) for source in sources]


def _read(source: Source, root: Path, defaults: Defaults) -> DistrictFile:
    if source.data is None:
        path = Path(source.file.path)
        return read_district_file(path, file=source.file.name, root=root, defaults=defaults)
    return parse_district_file(source.data, file=source.file.name, defaults=defaults)


def _shares(sources: Sequence[Source], count: int) -> list[Sequence[Source]]:
    """One for each process, of about the same size in bytes; the first is this process's own."""
    total = sum(len(source.data or b"") for source in sources)
    shares: list[list[Source]] = [[]]
    done = 0
    for source in sources:
        if done > total * len(shares) / count and len(shares) < count:
            shares.append([])
        shares[-1].append(source)
        done += len(source.data or b"")
    return list(shares)


def load_readers() -> None:
    """Load what reads a file, where it is not: once, before copies are made that all need it."""
    from reconciler.documents import yaml_reader  # noqa: F401, PLC0415

    prepare(load_schema(SCHEMA))
