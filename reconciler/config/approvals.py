"""Approvals: files in git that each let one held change of a district's rows through, and nothing else.

approvals/<district>/<digest>.yaml, reviewed as every other file is. The digest is of the very rows; what the
file says of counts is there for the reviewer, and must be what is found as well.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

from reconciler.config.approval import DIGEST, ENDING, FOLDER, Approval, BrokenLimit, file_of
from reconciler.documents.document import Document
from reconciler.documents.reader import open_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.documents.wording import did_you_mean
from reconciler.errors import ConfigError, Problem

SCHEMA = "approval.schema.json"
MAX_BYTES = 64 * 1024
_BESIDE = ("README.md", "CODEOWNERS")
"""Files that may lie in the folder and are no approvals, as hidden ones may."""


def find_approval(root: Path, district: str, digest: str) -> Approval | None:
    """The approval of this very digest; None where there is none.

    Raises ConfigError where there is a file, and it is not valid: then it approves nothing.
    """
    file = file_of(district, digest)
    if not file or not os.path.lexists(root / file):
        return None
    document, problems = _read(root, file)
    if document is None or problems:
        raise ConfigError(f"{file} is not valid: {problems[0].message}", problems)
    return _approval(document, file)


def check_approvals(
    root: Path, known: Collection[str], today: date, wanted: Collection[Path] = ()
) -> tuple[list[Problem], int]:
    """Everything wrong with the approvals of a repository, and how many files were looked at.

    `known` are the districts' ids, refused ones too; `wanted` the files or folders to look at, or all.
    """
    problems: list[Problem] = []
    files = [f for f in _files(root) if not wanted or any((root / f).is_relative_to(w) for w in wanted)]
    for file in files:
        problems += _check(root, file, known, today)
    return problems, len(files)


def _files(root: Path) -> Iterator[str]:
    """All that lies in the folder, hidden files left out, sorted."""
    folder = root / FOLDER
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in inside)
        is_beside = len(inside) == 1 and path.name in _BESIDE
        if not is_hidden and not is_beside and (path.is_symlink() or not path.is_dir()):
            yield path.relative_to(root).as_posix()


def _check(root: Path, file: str, known: Collection[str], today: date) -> list[Problem]:
    parts = file.split("/")
    stem = parts[-1].removesuffix(ENDING)
    if len(parts) != 3 or stem == parts[-1] or not DIGEST.fullmatch(stem):
        message = f"is no approval: none is read but {FOLDER}/<district>/<digest>{ENDING}"
        hint = "`reconciler approve ID` writes it; move the file, or remove it"
        return [Problem("approval.place", "error", file, 0, 0, "", message, hint)]
    document, problems = _read(root, file)
    if document is None or problems:
        return list(problems)
    approval = _approval(document, file)
    found = []
    if approval.district not in known:
        hint = did_you_mean(approval.district, sorted(known)) or "remove the file: it approves nothing"
        found.append(
            document.problem(("district",), "approval.district", "there is no district of this id", hint)
        )
    if not approval.holds_on(today):
        found.append(_expired(document))
    return found


def _expired(document: Document) -> Problem:
    """A warning: no pull request may turn red because a day has passed."""
    return document.problem(
        ("expires",), "approval.expired", "has passed: the file approves nothing any more",
        "remove the file, or renew it with `reconciler approve ID` while the hold stands", severity="warning",
    )  # fmt: skip


def _read(root: Path, file: str) -> tuple[Document | None, tuple[Problem, ...]]:
    """A file by itself: its form, and that it is named and placed as it says."""
    if not (root / file).parent.resolve().is_relative_to(root.resolve()):
        hint = "put the folder itself here"
        return None, (Problem("approval.place", "error", file, 0, 0, "", "lies out of the repository", hint),)
    document, problems = open_document(root / file, display=file, max_bytes=MAX_BYTES, root=root)
    if document is None or problems:
        return document, problems
    misshapen = schema_problems(document, load_schema(SCHEMA), file=file, code="approval.schema")
    return document, tuple(misshapen or _misnamed(document, file))


def _misnamed(document: Document, file: str) -> list[Problem]:
    _, folder, name = file.split("/")
    found = []
    if document.value["district"] != folder:
        message = f"the file lies in {FOLDER}/{folder}/, and is of another district"
        hint = "an approval is of the district whose folder it lies in"
        found.append(document.problem(("district",), "approval.place", message, hint))
    if document.value["digest"] != name.removesuffix(ENDING):
        message = "the file is named after another digest than it holds"
        hint = "write it anew with `reconciler approve ID`: an approval is of one digest, and named so"
        found.append(document.problem(("digest",), "approval.digest", message, hint))
    return found


def _approval(document: Document, file: str) -> Approval:
    value = document.value
    limits = tuple(sorted(BrokenLimit(**limit) for limit in value["limits"]))
    return Approval(
        value["district"], value["digest"], file, limits, value["reason"].strip(),
        date.fromisoformat(value["expires"]),
    )  # fmt: skip
