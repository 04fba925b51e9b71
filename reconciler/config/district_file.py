"""One district file, read: the district if the file is valid, and what the fleet's checks need of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from reconciler.config.defaults import Defaults
from reconciler.config.district import NEXT, District
from reconciler.config.district_checks import PROVIDERS, SECRETS, check_district, value_at
from reconciler.config.hints import with_hint
from reconciler.config.source import MAX_BYTES
from reconciler.documents.document import Document
from reconciler.documents.node import Mark, dotted
from reconciler.documents.reader import document_of, open_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import Problem

SCHEMA = "district.schema.json"
NO_DEFAULTS = Defaults()
_SCHEMA_CODE = "config.schema"
_ON_FORM = (_SCHEMA_CODE, "config.defaults")
"""Of a value that has the wrong form, these say nothing more."""


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
    """Text values that other files may contradict, by dotted path; the fleet's defaults among them."""
    marks: dict[str, Mark] = field(default_factory=dict)
    """Where each claim of the file itself stands; what is the fleet's default has no mark here."""

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def inherits(self, path: str) -> bool:
        """Whether this claim is the fleet's default, and not the file's own."""
        return path in self.claims and path not in self.marks

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
    *(("sftp", name, key) for name in SECRETS for key in (*PROVIDERS, NEXT)),
    *(("sftp", name, NEXT, key) for name in SECRETS for key in PROVIDERS),
)


def read_district_file(
    path: Path, *, file: str, root: Path, defaults: Defaults = NO_DEFAULTS
) -> DistrictFile:
    """Read one file and check it as the fleet's defaults complete it.

    Never raises: whatever is wrong is among the problems.
    """
    return _checked(file, defaults, *open_document(path, display=file, max_bytes=MAX_BYTES, root=root))


def parse_district_file(data: bytes, *, file: str, defaults: Defaults = NO_DEFAULTS) -> DistrictFile:
    """As `read_district_file`, of a file's bytes."""
    return _checked(file, defaults, *document_of(data, display=file, max_bytes=MAX_BYTES))


def _checked(
    file: str, defaults: Defaults, document: Document | None, problems: Iterable[Problem]
) -> DistrictFile:
    read = DistrictFile(file, PurePosixPath(file).stem, list(problems))
    if document is None:
        return read
    document = defaults.complete(document)
    found = schema_problems(document, load_schema(SCHEMA), file=file)
    misshapen = [with_hint(problem, document, read.stem) for problem in found]
    blamed = {problem.path for problem in misshapen}
    checked = [*check_district(document), *defaults.borrowed_pin(document)]
    read.problems += misshapen
    read.problems += [p for p in checked if p.code not in _ON_FORM or p.path not in blamed]
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
            if document.node(path):
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
