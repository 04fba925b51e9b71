"""Secrets that a district borrows from another, as far as names and texts tell: files, Vault, sealed ones.

A folder of secret files serves the whole fleet, so its names are the binding: a file that is named after
one district is no other's, and one password file serves one host, unless `policy.shared_secrets` says more.
What a sealed text is for, only its opening can tell; but that two districts have the same one is plain.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from reconciler.config.district_checks import SECRETS
from reconciler.config.district_file import DistrictFile
from reconciler.config.fleet_checks import claimed
from reconciler.config.policy import Policy
from reconciler.config.vault_reference import vault_reference

_WORD = re.compile(r"[a-z0-9]+")
_DEFAULT_FOLDER = PurePosixPath("/run/secrets")


def check_borrowed(files: Sequence[DistrictFile], policy: Policy) -> None:
    """Adds to each file what it borrows from another district."""
    ids = {file.stem for file in files}
    for file in files:
        for path, name in _references(file, "file"):
            owner = _owner(name, file.stem, ids)
            if owner and not _listed(file, name, policy):
                file.add(path, "secret.bound", f"this secret file is named after the district {owner}", _HINT)
        for path, text in _references(file, "vault"):
            _check_vault(file, path, text, policy)
    _check_hosts(files, ids, policy)
    _check_copies(files)


_HINT = (
    "name a file of this district's own, or list it as file:PATH with its hosts under "
    "policy.shared_secrets in reconciler.yaml"
)


def _references(
    file: DistrictFile, provider: str, fields: Iterable[str] = SECRETS
) -> Iterator[tuple[str, str]]:
    """Path in the document and reference, of every secret of that provider, `next` included."""
    for field in fields:
        yield from ((path, file.claims[path]) for path in claimed(file, field, provider))


def _owner(name: str, district: str, ids: Collection[str]) -> str | None:
    """Another district that the file's path names, where it does not name this one."""
    path = PurePosixPath(name)
    parts = path.relative_to(_DEFAULT_FOLDER).parts if path.is_relative_to(_DEFAULT_FOLDER) else path.parts
    named = [found for part in parts if (found := _named(part, ids))]
    return None if not named or district in named else named[-1]


def _named(part: str, ids: Collection[str]) -> str | None:
    """The district whose id a name begins with, the longest: `oak_hill-key.pem` is of oak-hill, not oak."""
    words = _WORD.findall(part.lower())
    starts = ("-".join(words[:end]) for end in range(len(words), 0, -1))
    return next((start for start in starts if start in ids), None)


def _check_vault(file: DistrictFile, path: str, text: str, policy: Policy) -> None:
    try:
        wanted = vault_reference(text)
    except ValueError as error:
        file.add(path, "config.schema", f"the reference to Vault {error}", "for example path/oak#password")
        return
    listed = _host(file) in map(_plain, policy.shared_secrets.get(f"vault:{text}", ()))
    if not wanted.names(file.stem) and not listed:
        hint = (
            f"use a path with a folder named {file.stem}, or list vault:path#key with its hosts under "
            "policy.shared_secrets in reconciler.yaml"
        )
        file.add(path, "secret.bound", "this path in Vault does not name the district", hint)


def _check_hosts(files: Sequence[DistrictFile], ids: Collection[str], policy: Policy) -> None:
    """A password is shown to the server that asks for it; a private key never is."""
    users: dict[str, list[tuple[DistrictFile, str]]] = defaultdict(list)
    for file in files:
        blamed = {problem.path for problem in file.problems if problem.code == "secret.bound"}
        for path, name in _references(file, "file", ("password",)):
            if path in blamed:
                continue
            users[str(PurePosixPath(_DEFAULT_FOLDER / name))].append((file, path))
    for name, using in users.items():
        if len({_host(file) for file, _ in using}) < 2:
            continue
        for file, path in using:
            others = [other.file for other, _ in using if _host(other) != _host(file)]
            owned = any(_named(part, ids) == file.stem for part in PurePosixPath(name).parts)
            if others and not owned and not _listed(file, file.claims[path], policy):
                message = f"{others[0]} sends this password file to another host"
                file.add(path, "secret.bound", message, _HINT)


def _check_copies(files: Sequence[DistrictFile]) -> None:
    """A warning, for which of the two is the borrower shows only when it is opened, and refused."""
    users: dict[int, list[tuple[DistrictFile, str]]] = defaultdict(list)
    for file in files:
        for path, text in _references(file, "age"):
            users[hash("".join(text.split()))].append((file, path))
    for using in users.values():
        for file, path in using:
            others = [other.file for other, _ in using if other is not file]
            if others:
                message = f"{others[0]} has the same sealed secret, and it is sealed for one district only"
                file.add(path, "secret.bound", message, "seal one for each: `reconciler seal ID`")
                file.problems[-1] = replace(file.problems[-1], severity="warning")


def _listed(file: DistrictFile, name: str, policy: Policy) -> bool:
    return _host(file) in map(_plain, policy.shared_secrets.get(f"file:{name}", ()))


def _host(file: DistrictFile) -> str:
    return _plain(str(file.claims.get("sftp.host", "")))


def _plain(host: str) -> str:
    return host.casefold().rstrip(".")
