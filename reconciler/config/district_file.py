"""One district file, read: the district if the file is valid, and what the fleet's checks need of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from reconciler.config.district import District
from reconciler.config.district_checks import SECRETS, check_district, value_at
from reconciler.documents.document import Document
from reconciler.documents.node import Mark, dotted
from reconciler.documents.reader import document_of, open_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import Problem

SCHEMA = "district.schema.json"
MAX_BYTES = 512 * 1024
"""The largest district of the country has some 1,600 schools, and each takes about 80 bytes."""
_SCHEMA_CODE = "config.schema"


@dataclass(slots=True)
class DistrictFile:
    """What is left of a file once it is read: small, for there are thousands of them."""

    file: str
    """Its path relative to the root."""
    stem: str
    problems: list[Problem]
    district: District | None = None
    """None while the file has errors of its own."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Text values that other files may contradict, by dotted path, where the file has them."""
    marks: dict[str, Mark] = field(default_factory=dict)
    """Where each claim stands."""

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def add(self, path: str, code: str, message: str, hint: str) -> None:
        """An error at one of the claims; that a misspelt name leads nowhere goes without saying."""
        if code == "config.reference" and any(
            p.path == path and p.code == _SCHEMA_CODE for p in self.problems
        ):
            return
        self.problems.append(
            Problem(code, "error", self.file, *self.marks.get(path, (0, 0)), path, message, hint)
        )


_CLAIMS: tuple[tuple[str, ...], ...] = (
    ("district",),
    ("account",),
    ("mapper",),
    ("sftp", "host"),
    *(("sftp", name, "env") for name in SECRETS),
)


def read_district_file(path: Path, *, file: str, root: Path) -> DistrictFile:
    """Read and check one file by itself. Never raises: whatever is wrong is among the problems."""
    return _checked(file, *open_document(path, display=file, max_bytes=MAX_BYTES, root=root))


def parse_district_file(data: bytes, *, file: str) -> DistrictFile:
    """As `read_district_file`, of a file's bytes."""
    return _checked(file, *document_of(data, display=file, max_bytes=MAX_BYTES))


def _checked(file: str, document: Document | None, problems: Iterable[Problem]) -> DistrictFile:
    read = DistrictFile(file, PurePosixPath(file).stem, list(problems))
    if document is None:
        return read
    misshapen = schema_problems(document, load_schema(SCHEMA), file=file)
    blamed = {problem.path for problem in misshapen}
    checked = check_district(document)
    read.problems += misshapen
    read.problems += [p for p in checked if p.code != _SCHEMA_CODE or p.path not in blamed]
    _note_claims(read, document, _CLAIMS)
    _check_name(read)
    if not read.has_errors:
        read.district = District.from_json(document.value)
    return read


def _note_claims(read: DistrictFile, document: Document, paths: Iterable[tuple[str, ...]]) -> None:
    for path in paths:
        value = value_at(document.value, *path)
        if isinstance(value, str):
            read.claims[dotted(path)] = value
            read.marks[dotted(path)] = document.position(path)


def _check_name(read: DistrictFile) -> None:
    declared = read.claims.get("district")
    if declared is not None and declared != read.stem:
        read.add(
            "district",
            "config.reference",
            f"the file is named {read.stem}.yaml, and its district is another",
            "give the file the name of its district, or the district the name of its file",
        )
