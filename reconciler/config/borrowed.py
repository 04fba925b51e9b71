"""Secrets that a district borrows from another, as far as names and texts tell: files, Vault, sealed ones.

A folder of secret files serves the whole fleet, so its names are the binding: a file that is named after
one district is no other's, unless `policy.shared_secrets` says so. Any other file is for all who name it;
that one password goes to two hosts is told of, for it may be a slip. What a sealed text is for, only its
opening can tell; but that two districts have the same one is plain.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from reconciler.config.district_checks import SECRETS
from reconciler.config.district_file import DistrictFile
from reconciler.config.fleet_checks import claimed
from reconciler.config.policy import Policy
from reconciler.config.vault_reference import vault_reference

_WORD = re.compile(r"[a-z0-9]+")
_DEFAULT_FOLDER = PurePosixPath("/run/secrets")
_Use = tuple[DistrictFile, str]
"""A file, and the path in it at which the secret is named."""


def check_borrowed(files: Sequence[DistrictFile], policy: Policy, others: Collection[str] = ()) -> None:
    """Adds to each file what it borrows; `others` are ids of districts that borrow nothing."""
    ids = {*others, *(file.stem for file in files)}
    for file in files:
        for path, name in _references(file, "file"):
            owner = other_owner(name, file.stem, ids)
            if owner and not is_listed(f"file:{name}", _host(file), policy):
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


def other_owner(name: str, district: str, ids: Collection[str]) -> str | None:
    """Another district that the file's path names, where it does not name this one."""
    path = PurePosixPath(posixpath.normpath(name))  # oak/../elm is elm's
    parts = path.relative_to(_DEFAULT_FOLDER).parts if path.is_relative_to(_DEFAULT_FOLDER) else path.parts
    named = [found for part in parts if (found := _named(part, ids))]
    return None if not named or district in named else named[-1]


def bears_its_name(reference: str, district: str) -> bool:
    """Whether a part of a secret file's path is this district's id and nothing else.

    It is this district's then, whatever other ids there are.
    """
    parts = PurePosixPath(posixpath.normpath(reference)).parts
    return any("-".join(_WORD.findall(part.lower())) == district for part in parts)


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
    if not wanted.names(file.stem) and not is_listed(f"vault:{text}", _host(file), policy):
        hint = (
            f"use a path with a folder named {file.stem}, or list vault:path#key with its hosts under "
            "policy.shared_secrets in reconciler.yaml"
        )
        file.add(path, "secret.bound", "this path in Vault does not name the district", hint)


def _check_hosts(files: Sequence[DistrictFile], ids: Collection[str], policy: Policy) -> None:
    """A warning: one password may be meant for two servers. A private key is shown to neither."""
    users: dict[str, list[_Use]] = defaultdict(list)
    for file in files:
        blamed = {problem.path for problem in file.problems if problem.code == "secret.bound"}
        for path, name in _references(file, "file", ("password",)):
            if path not in blamed:
                users[posixpath.normpath(_DEFAULT_FOLDER / name)].append((file, path))
    for name, using in users.items():
        for file, path, other in _with_another(using, _host):
            owned = any(_named(part, ids) == file.stem for part in PurePosixPath(name).parts)
            if not owned and not is_listed(f"file:{file.claims[path]}", _host(file), policy):
                _warn(file, path, f"{other.file} sends this password file to another host", _HINT)


def _check_copies(files: Sequence[DistrictFile]) -> None:
    """A warning, for which of the two is the borrower shows only when it is opened, and refused."""
    users: dict[int, list[_Use]] = defaultdict(list)
    for file in files:
        for path, text in _references(file, "age"):
            users[hash("".join(text.split()))].append((file, path))
    for using in users.values():
        for file, path, other in _with_another(using, _id):
            message = f"{other.file} has the same sealed secret, and it is sealed for one district only"
            _warn(file, path, message, "seal one for each: `reconciler seal ID`")


def _with_another(
    using: Sequence[_Use], of: Callable[[DistrictFile], str]
) -> Iterator[tuple[DistrictFile, str, DistrictFile]]:
    """Each use with the first file for which `of` comes to something else; nothing where there is none."""
    first = using[0][0]
    second = next((file for file, _ in using if of(file) != of(first)), None)
    if second is not None:
        yield from ((file, path, second if of(file) == of(first) else first) for file, path in using)


def _warn(file: DistrictFile, path: str, message: str, hint: str) -> None:
    file.add(path, "secret.bound", message, hint)
    file.problems[-1] = replace(file.problems[-1], severity="warning")


def is_listed(reference: str, host: str, policy: Policy) -> bool:
    """Whether the policy lets a secret, `file:PATH` say, be sent to a host."""
    return _plain(host) in map(_plain, policy.shared_secrets.get(reference, ()))


def _id(file: DistrictFile) -> str:
    return file.file


def _host(file: DistrictFile) -> str:
    return _plain(str(file.claims.get("sftp.host", "")))


def _plain(host: str) -> str:
    return host.casefold().rstrip(".")
