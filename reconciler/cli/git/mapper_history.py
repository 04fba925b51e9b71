"""Mappers as they were: the database keeps a digest of what made the rows, and git the text that has it."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Self

from reconciler.cli.git.asking import Git, GitError
from reconciler.errors import ReconcilerError, UsageError
from reconciler.mapping.library import MapperLibrary
from reconciler.mapping.model import Mapper
from reconciler.settings import temporary_folder

_COMMITS = 50
"""How many changes to mappers/ are looked through, the newest first."""
_ENDINGS = (".json", ".yaml", ".yml")
_REGULAR = (b"100644", b"100755")
_HASH = re.compile(r"[0-9a-f]{40,64}")


class MapperHistory:
    """Finds the version of a mapper by its digest. Without git, only what is there now is known."""

    def __init__(self, git: Git, first: Sequence[str], now: MapperLibrary):
        """`first` are the commits that are most likely; `now` are the mappers of the work tree."""
        self._git = git
        self._first = first
        self._now = now
        self._read: list[tuple[str, MapperLibrary]] = []
        self._more: Iterator[tuple[str, MapperLibrary]] | None = None
        self._folder = tempfile.TemporaryDirectory(
            prefix="mappers-of-", dir=temporary_folder(), ignore_cleanup_errors=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._folder.cleanup()

    def find(self, name: str, fits: Callable[[str], bool]) -> tuple[Mapper, str] | None:
        """The newest version of a mapper whose digest fits, and its commit; empty: that of the work tree."""
        for commit, library in self._versions():
            with contextlib.suppress(ReconcilerError):
                mapper = library.get(name)
                if fits(mapper.digest):
                    return mapper, commit
        return None

    def _versions(self) -> Iterator[tuple[str, MapperLibrary]]:
        """Each state that mappers/ was in, read once, however often it is asked for."""
        yield "", self._now
        yield from self._read
        if self._more is None:
            self._more = self._older()
        for version in self._more:
            self._read.append(version)
            yield version

    def _older(self) -> Iterator[tuple[str, MapperLibrary]]:
        seen = set()
        for commit in self._commits():
            listed = self._answer("ls-tree", "-z", commit, "--", "mappers/")
            if listed is not None and listed not in seen:
                seen.add(listed)
                library = self._library(listed)
                if library:
                    yield commit, library

    def _commits(self) -> Iterator[str]:
        # What the database has may be any text: CI names the commit where there is no checkout.
        yield from (commit for commit in self._first if _HASH.fullmatch(commit))
        changes = self._answer("rev-list", f"--max-count={_COMMITS}", "HEAD", "--", "mappers")
        yield from (changes or b"").decode("ascii").split()

    def _library(self, listed: bytes) -> MapperLibrary | None:
        """The mappers of a commit, by what `ls-tree` lists; None where git does not have them all."""
        files: dict[str, bytes] = {}
        for entry in filter(None, listed.split(b"\0")):
            about, _, path = entry.partition(b"\t")
            mode, _, blob = about.split(b" ")
            name = PurePosixPath(path.decode("utf-8", "surrogateescape")).name
            if mode in _REGULAR and name.endswith(_ENDINGS):
                content = self._answer("cat-file", "blob", blob.decode("ascii"))
                if content is None:
                    return None
                files[name] = content
        return self._written(files)

    def _written(self, files: Mapping[str, bytes]) -> MapperLibrary:
        """A library of these files, each of which is read when it is asked for."""
        root = Path(self._folder.name) / str(len(self._read))
        (root / "mappers").mkdir(parents=True)
        for name, content in files.items():
            (root / "mappers" / name).write_bytes(content)
        return MapperLibrary(root)

    def _answer(self, *arguments: str) -> bytes | None:
        try:
            return self._git.ask(*arguments)
        except (GitError, UsageError):
            return None
