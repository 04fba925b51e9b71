"""The mappers that a repository can name: its own under mappers/, and those that ship with the package."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path

from reconciler.documents.document import Document
from reconciler.documents.reader import open_document, parse_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import MapperError, Problem
from reconciler.mapping.check import findings
from reconciler.mapping.model import Mapper
from reconciler.mapping.near import nearest
from reconciler.mapping.parse import parse_mapper

MAX_BYTES = 1 << 20
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class LoadedMapper:
    """A mapper's file, read: the mapper where it has no errors, and everything found in it."""

    name: str
    file: str
    mapper: Mapper | None
    problems: tuple[Problem, ...]
    document: Document | None = None
    """Where each of its values stands; None where the file cannot be read."""


def builtin_names() -> tuple[str, ...]:
    """The names of the mappers that ship with the package, sorted."""
    folder = resources.files("reconciler.mapping") / "builtin"
    return tuple(sorted(p.name.removesuffix(".json") for p in folder.iterdir() if p.name.endswith(".json")))


@lru_cache
def builtin(name: str) -> LoadedMapper:
    """A built-in mapper by its name; KeyError for a name that is none."""
    if name not in builtin_names():
        raise KeyError(name)
    file = f"{name}.json"
    data = (resources.files("reconciler.mapping") / "builtin" / file).read_bytes()
    return _loaded(name, parse_document(data, display=file, max_bytes=MAX_BYTES))


def read_mapper(path: Path, *, display: str, root: Path | None = None) -> LoadedMapper:
    """The mapper in a file, JSON or YAML. Never raises for what the file says."""
    document, found = open_document(path, display=display, max_bytes=MAX_BYTES, root=root)
    if document is None or found:
        return LoadedMapper(path.stem, display, None, tuple(replace(p, code="mapper.schema") for p in found))
    return _loaded(path.stem, document)


def _loaded(name: str, document: Document) -> LoadedMapper:
    problems = schema_problems(
        document, load_schema("mapper.schema.json"), file=document.file, code="mapper.schema"
    )
    if problems:
        return LoadedMapper(name, document.file, None, tuple(problems), document)
    mapper = parse_mapper(document.value)
    problems = [
        document.problem(_steps(f.path), "mapper.schema", f.message, f.hint) for f in findings(mapper)
    ]
    if mapper.name != name:
        problems.append(
            document.problem(
                ("name",), "mapper.schema", f"the mapper is named {mapper.name!r}, its file {name!r}",
                f'write "name": "{name}", or rename the file',
            )
        )  # fmt: skip
    return LoadedMapper(name, document.file, None if problems else mapper, tuple(problems), document)


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(int(index) if index else key for key, index in _STEP.findall(path))


class MapperLibrary:
    """The mappers of one repository, each read once."""

    def __init__(self, root: Path | None):
        self._root = root
        self._own = _own_files(root) if root else {}
        self._read: dict[str, LoadedMapper] = {}

    def names(self) -> frozenset[str]:
        """Every name that a district may use."""
        return frozenset(self._own) | frozenset(builtin_names())

    def get(self, name: str) -> Mapper:
        """The mapper of this name, the repository's before the built-in. Raises MapperError."""
        loaded = self.load(name)
        if loaded.mapper is None:
            first = loaded.problems[0]
            raise MapperError(
                f"{first.file}:{first.line}:{first.column}: {first.message}",
                hint=first.hint or "`reconciler validate` lists every problem",
            )
        return loaded.mapper

    def load(self, name: str) -> LoadedMapper:
        """The mapper's file as it was read, with its problems. Raises MapperError for an unknown name."""
        if name not in self._read:
            if name in self._own and self._root:
                path = self._own[name]
                display = path.relative_to(self._root).as_posix()
                self._read[name] = read_mapper(path, display=display, root=self._root)
            elif name in builtin_names():
                self._read[name] = builtin(name)
            else:
                raise MapperError(
                    f"there is no mapper {name!r}", code="mapper.unknown", hint=nearest(name, self.names())
                )
        return self._read[name]

    def problems(self) -> list[Problem]:
        """What is wrong with the repository's own mappers, and which of them hide a built-in."""
        found: list[Problem] = []
        for name, path in sorted(self._own.items()):
            loaded = self.load(name)
            found.extend(loaded.problems)
            if name in builtin_names():
                found.append(_hides(name, path, self._root))
        return found

    def with_tests(self) -> list[tuple[Mapper, Document]]:
        """The repository's own mappers that are right and carry tests, with their documents."""
        loaded = [self.load(name) for name in sorted(self._own)]
        return [
            (one.mapper, one.document) for one in loaded if one.mapper and one.mapper.tests and one.document
        ]

    def files(self) -> list[str]:
        """The repository's own mapper files, relative to its root."""
        return [p.relative_to(self._root).as_posix() for _, p in sorted(self._own.items()) if self._root]


def _hides(name: str, path: Path, root: Path | None) -> Problem:
    file = path.relative_to(root).as_posix() if root else path.name
    return Problem(
        "mapper.hides", "notice", file, 0, 0, "", f"this mapper is used instead of the built-in {name!r}",
        "give it another name if that is not meant",
    )  # fmt: skip


def _own_files(root: Path) -> dict[str, Path]:
    """The stem of each mapper file to its path; JSON before YAML where both are there."""
    folder = root / "mappers"
    found = [p for suffix in (".yaml", ".yml", ".json") for p in sorted(folder.glob(f"*{suffix}"))]
    return {p.stem: p for p in found if not p.name.startswith(".")}
