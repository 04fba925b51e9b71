"""Reads district files that nothing is known of: one after the other, or in as many processes as help."""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.config.district_file import DistrictFile, parse_district_file, read_district_file
from reconciler.config.source import Source

_WORTH_A_PROCESS = 500
"""So many files take about a third of a second; a process and its answer cost a few hundredths."""
_MOST_PROCESSES = 8


def read_all(sources: Sequence[Source], root: Path) -> list[DistrictFile]:
    """Each file read and checked by itself, in the order given. Never raises for what a file says."""
    shares = _shares(sources)
    with _no_collection():
        others = [_Process(share, root) for share in shares[1:]]
        found = _read_share(shares[0], root)
        for other in others:
            found += other.files()
    return found


def _read_share(sources: Sequence[Source], root: Path) -> list[DistrictFile]:
    return [_read(source, root) for source in sources]


def _read(source: Source, root: Path) -> DistrictFile:
    if source.data is None:
        return read_district_file(Path(source.file.path), file=source.file.name, root=root)
    return parse_district_file(source.data, file=source.file.name)


def _shares(sources: Sequence[Source]) -> list[Sequence[Source]]:
    """One for each process, of about the same size in bytes; the first is this process's own."""
    count = min(len(sources) // _WORTH_A_PROCESS, _MOST_PROCESSES, _processors()) if _may_fork() else 1
    if count < 2:
        return [sources]
    total = sum(len(source.data or b"") for source in sources)
    shares: list[list[Source]] = [[]]
    done = 0
    for source in sources:
        if done > total * len(shares) / count and len(shares) < count:
            shares.append([])
        shares[-1].append(source)
        done += len(source.data or b"")
    return list(shares)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _may_fork() -> bool:
    """A copy of a process with threads may wait for ever for a lock that one of them held."""
    return sys.platform == "linux" and threading.active_count() == 1


class _Process:
    """A copy of this process that reads its share and sends what it found back through a pipe."""

    def __init__(self, sources: Sequence[Source], root: Path):
        self._sources, self._root = sources, root
        self._answer, out = os.pipe()
        self._id = os.fork()
        if self._id == 0:
            self._work(out)
        os.close(out)

    def _work(self, out: int) -> None:
        """In the copy; never returns, and leaves by a way on which nothing of the original is ended."""
        code = 1
        try:
            with open(out, "wb") as stream:
                pickle.dump(_read_share(self._sources, self._root), stream, pickle.HIGHEST_PROTOCOL)
            code = 0
        finally:
            os._exit(code)

    def files(self) -> list[DistrictFile]:
        """What it found; where it came to nothing, the files are read here."""
        try:
            with open(self._answer, "rb") as stream:  # noqa: PTH123 – it is a handle
                answer = stream.read()
        finally:
            _, status = os.waitpid(self._id, 0)
        if status != 0:
            return _read_share(self._sources, self._root)
        found: list[DistrictFile] = pickle.loads(answer)  # noqa: S301 – from our own copy, through a pipe
        return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of small values are made and kept, no circle among them: looking for some takes seconds."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
