"""The mappers that a repository can name: its own under mappers/, and those that ship with the package."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path

from reconciler.documents.document import Document
from reconciler.documents.pasted import CODE as LITERAL
from reconciler.documents.reader import open_document, parse_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import MapperError, Problem
from reconciler.mapping.check import findings
from reconciler.mapping.extends import EXTENDS, written_out
from reconciler.mapping.folder import mapper_files, passed_over
from reconciler.mapping.model import Mapper
from reconciler.mapping.near import nearest
from reconciler.mapping.parse import parse_mapper

MAX_BYTES = 1 << 20
MAX_CHAIN = 5
"""How many mappers may extend one another in a row."""
_FOLDER = "mappers"
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
    extends: str = ""
    """The name of the mapper that it extends."""
    builtin: bool = False
    """It ships with the package, and is no file of the repository."""


BaseOf = Callable[[str], LoadedMapper]
"""Finds the mapper that another one extends; raises MapperError where there is none, or no end."""


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
    document = parse_document(data, display=file, max_bytes=MAX_BYTES)
    loaded = replace(_loaded(name, document, builtin), extends=_extends(document), builtin=True)
    if loaded.mapper is None:
        return loaded
    return replace(loaded, mapper=replace(loaded.mapper, place=lambda path: f"{path} of the built-in {name}"))


def read_mapper(path: Path, *, display: str, root: Path | None = None, base_of: BaseOf) -> LoadedMapper:
    """The mapper in a file, JSON or YAML; `base_of` finds what it extends. Never raises for what it says."""
    document, found = open_document(path, display=display, max_bytes=MAX_BYTES, root=root)
    pasted = tuple(p for p in found if p.code == LITERAL)
    wrong = tuple(replace(p, code="mapper.schema") for p in found if p.code != LITERAL)
    if document is None or wrong:
        return LoadedMapper(path.stem, display, None, (*wrong, *pasted))
    loaded = _loaded(path.stem, document, base_of)
    return replace(loaded, extends=_extends(document), problems=(*loaded.problems, *pasted))


def read_mapper_file(path: Path, *, display: str, root: Path | None) -> LoadedMapper:
    """As `read_mapper`, for a file that somebody names.

    What it extends lies beside it, or is one of the repository at `root`, or built in.
    """
    beside = {p.stem: p for p in mapper_files(path.parent)}
    library = MapperLibrary(root, beside)
    return read_mapper(path, display=display, base_of=library.base_of(path.stem))


def _extends(document: Document) -> str:
    name = document.value.get(EXTENDS) if isinstance(document.value, dict) else None
    return name if isinstance(name, str) else ""


def _loaded(name: str, document: Document, base_of: BaseOf) -> LoadedMapper:
    problems = _schema_problems(document)
    said = document.value.get("files") or {} if not problems and EXTENDS in document.value else None
    if said is not None:
        document, problems = _extended(document, base_of)
        problems = problems or _schema_problems(document)
    if problems:
        return LoadedMapper(name, document.file, None, tuple(problems), document)
    mapper = parse_mapper(document.value)
    problems = [
        document.problem(_steps(f.path), "mapper.schema", f.message, f.hint) for f in findings(mapper, said)
    ]
    if mapper.name != name:
        problems.append(
            document.problem(
                ("name",), "mapper.schema", f"the mapper is named {mapper.name!r}, its file {name!r}",
                f'write "name": "{name}", or rename the file',
            )
        )  # fmt: skip
    if problems:
        return LoadedMapper(name, document.file, None, tuple(problems), document)
    return LoadedMapper(name, document.file, replace(mapper, place=_places(document)), (), document)


def _places(document: Document) -> Callable[[str], str]:
    def place(path: str) -> str:
        line, column = document.position(_steps(path))
        return f"{path} ({document.file}:{line}:{column})"

    return place


def _schema_problems(document: Document) -> list[Problem]:
    return schema_problems(
        document, load_schema("mapper.schema.json"), file=document.file, code="mapper.schema"
    )


def _extended(document: Document, base_of: BaseOf) -> tuple[Document, list[Problem]]:
    """The document written out with what it extends; as it is, with the problem, where that cannot be."""
    name = document.value[EXTENDS]
    try:
        base = base_of(name)
    except MapperError as error:
        return document, [document.problem((EXTENDS,), error.code, error.message, error.hint)]
    if base.mapper is None or base.document is None:
        first = base.problems[0]
        message = f"the mapper {name!r}, which it extends, has mistakes"
        hint = f"{first.place}: {first.message}"
        return document, [document.problem((EXTENDS,), "mapper.schema", message, hint)]
    return written_out(document, base.document)


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(int(index) if index else key for key, index in _STEP.findall(path))


class _EndlessError(Exception):
    """A chain of mappers that extend one another leads back to one of them, or is too long."""


class MapperLibrary:
    """The mappers of one repository, each read once."""

    def __init__(self, root: Path | None, more: Mapping[str, Path] | None = None):
        """`more`: mapper files by their stems, which go before those of the repository.

        Raises MapperError where the repository's mappers cannot be listed.
        """
        self._root = root
        own = mapper_files(root / _FOLDER) if root else []
        self._own = {p.stem: p for p in own} | dict(more or {})
        self._read: dict[str, LoadedMapper] = {}

    def names(self) -> frozenset[str]:
        """Every name that a district may use."""
        return frozenset(self._own) | frozenset(builtin_names())

    def get(self, name: str) -> Mapper:
        """The mapper of this name, the repository's before the built-in. Raises MapperError."""
        loaded = self.load(name)
        if loaded.mapper is None:
            first = loaded.problems[0]
            raise MapperError(str(first), hint=first.hint or "`reconciler validate` lists every problem")
        return loaded.mapper

    def load(self, name: str) -> LoadedMapper:
        """The mapper's file as it was read, with its problems. Raises MapperError for an unknown name."""
        if name not in self._read:
            self._read[name] = self._load(name, ())
        return self._read[name]

    def base_of(self, name: str) -> BaseOf:
        """Finds what a mapper of this name extends."""
        return self._finder(name, (name,))

    def lineage(self, name: str) -> tuple[LoadedMapper, ...]:
        """The mapper and those that it extends, one after the other, as far as they can be found.

        Raises MapperError for an unknown name.
        """
        line = [self.load(name)]
        while line[-1].extends and len(line) <= MAX_CHAIN:
            last = line[-1]
            try:
                line.append((builtin if last.builtin else self.base_of(last.name))(last.extends))
            except (MapperError, KeyError):
                break
        return tuple(line)

    def _load(self, name: str, chain: tuple[str, ...]) -> LoadedMapper:
        """`chain`: the mappers that lead here, each of which extends the next one."""
        if name in self._own:
            path, finder = self._own[name], self._finder(name, (*chain, name))
            return read_mapper(path, display=self._display(path), root=self._root, base_of=finder)
        if name in builtin_names():
            return builtin(name)
        raise MapperError(
            f"there is no mapper {name!r}", code="mapper.unknown", hint=nearest(name, self.names())
        )

    def _finder(self, name: str, chain: tuple[str, ...]) -> BaseOf:
        def base(wanted: str) -> LoadedMapper:
            if wanted == name and wanted in builtin_names():
                return builtin(wanted)
            try:
                return self._link(wanted, chain)
            except _EndlessError as error:
                if len(chain) > 1:
                    raise
                raise MapperError(str(error), hint="let one of them extend another mapper, or none") from None

        return base

    def _link(self, wanted: str, chain: tuple[str, ...]) -> LoadedMapper:
        if wanted in chain:
            raise _EndlessError(f"mappers extend each other in a circle: {' → '.join((*chain, wanted))}")
        if len(chain) > MAX_CHAIN:
            raise _EndlessError(f"more than {MAX_CHAIN} mappers extend one another: {' → '.join(chain)}")
        return self._load(wanted, chain)

    def problems(self) -> list[Problem]:
        """What is wrong with the repository's own mappers, which hide a built-in, and which are not read."""
        found = passed_over(self._root / _FOLDER, _FOLDER) if self._root else []
        for name, path in sorted(self._own.items()):
            loaded = self.load(name)
            found.extend(loaded.problems)
            if name in builtin_names():
                found.append(_hides(name, self._display(path)))
        return found

    def with_tests(self) -> list[tuple[Mapper, Document]]:
        """The repository's own mappers that are right and carry tests, with their documents."""
        loaded = [self.load(name) for name in sorted(self._own)]
        return [
            (one.mapper, one.document) for one in loaded if one.mapper and one.mapper.tests and one.document
        ]

    def files(self) -> list[str]:
        """The repository's own mapper files, relative to its root."""
        return [self._display(p) for _, p in sorted(self._own.items())]

    def _display(self, path: Path) -> str:
        root = self._root
        return path.relative_to(root).as_posix() if root and path.is_relative_to(root) else str(path)


def _hides(name: str, file: str) -> Problem:
    return Problem(
        "mapper.hides", "notice", file, 0, 0, "", f"this mapper is used instead of the built-in {name!r}",
        "give it another name if that is not meant",
    )  # fmt: skip
