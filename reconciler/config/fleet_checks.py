"""What holds between files: ids and accounts once, mappers that exist, secrets that stay at home."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from reconciler.config.defaults import Defaults
from reconciler.config.district import NEXT
from reconciler.config.district_checks import SECRETS
from reconciler.config.district_file import DistrictFile
from reconciler.config.policy import Policy
from reconciler.documents.wording import did_you_mean
from reconciler.errors import Problem


def check_fleet(
    files: Sequence[DistrictFile], mappers: Collection[str] | None, policy: Policy, defaults: Defaults
) -> list[Problem]:
    """Adds to each file the problems that it has with others; returns those of the defaults, once.

    `mappers` None: not known, not checked.
    """
    _check_ids(files)
    _check_accounts(files)
    _check_env_secrets(files, policy)
    return [] if mappers is None else _check_mappers(files, mappers, defaults)


def _check_ids(files: Iterable[DistrictFile]) -> None:
    by_stem: dict[str, list[DistrictFile]] = defaultdict(list)
    for file in files:
        by_stem[file.stem].append(file)
    for same in by_stem.values():
        for file, other in _with_another(same):
            message = f"another file has this district's id: {other.file}"
            file.add("district", "config.duplicate", message, "remove or rename one of the two")


def _check_accounts(files: Iterable[DistrictFile]) -> None:
    by_account: dict[str, list[DistrictFile]] = defaultdict(list)
    for file in files:
        if "account" in file.claims:
            by_account[file.claims["account"]].append(file)
    for same in by_account.values():
        for file, other in _with_another(same):
            place = f"{other.file}:{other.marks['account'][0]}"
            message = f"another district has this account: {place}"
            file.add("account", "config.duplicate", message, "an account belongs to one district")


def _with_another(same: list[DistrictFile]) -> Iterable[tuple[DistrictFile, DistrictFile]]:
    """Each file with the first of the others; nothing for a file alone."""
    if len(same) > 1:
        yield same[0], same[1]
        yield from ((file, same[0]) for file in same[1:])


def _check_mappers(
    files: Iterable[DistrictFile], mappers: Collection[str], defaults: Defaults
) -> list[Problem]:
    """Whoever uses a default that is wrong is refused, with the one problem that reconciler.yaml has."""
    wrong = [
        defaults.problem("mapper", *_unknown_mapper(name, mappers))
        for name in [defaults.value.get("mapper")]
        if name is not None and name not in mappers
    ]
    for file in files:
        name = file.claims.get("mapper")
        if file.inherits("mapper"):
            file.problems += wrong
        elif name is not None and name not in mappers:
            file.add("mapper", *_unknown_mapper(name, mappers))
    return wrong


def _unknown_mapper(name: str, mappers: Collection[str]) -> tuple[str, str, str]:
    """Code, message and hint."""
    known = sorted(mappers)
    hint = did_you_mean(name, known) or f"known mappers: {', '.join(known[:20])}"
    return "config.reference", "no mapper has this name", hint


def _check_env_secrets(files: Sequence[DistrictFile], policy: Policy) -> None:
    """An env secret belongs to one district by its name, or is shared with the hosts that the policy lists.

    So a pull request cannot have another district's password sent to a host of its own.
    """
    ids = {file.stem for file in files}
    for file in files:
        for path in _variable_paths(file):
            variable = file.claims[path]
            if not _may_use(file, variable, ids, policy):
                file.add(path, "secret.bound", *_bound_words(file, variable, policy))


def _variable_paths(file: DistrictFile) -> Iterator[str]:
    """Where the file names variables: `env`, and `next` beside it."""
    for name in SECRETS:
        yield from claimed(file, name, "env")


def claimed(file: DistrictFile, name: str, provider: str) -> Iterator[str]:
    """The paths at which a file names secrets of a provider, for one of SECRETS."""
    own = f"sftp.{name}.{provider}"
    beside = [f"sftp.{name}.{NEXT}"] if own in file.claims else []
    yield from (p for p in (own, *beside, f"sftp.{name}.{NEXT}.{provider}") if p in file.claims)


def _may_use(file: DistrictFile, variable: str, ids: Collection[str], policy: Policy) -> bool:
    host = str(file.claims.get("sftp.host", ""))
    return bool(rule_of(variable, district=file.stem, host=host, ids=ids, policy=policy))


def rule_of(
    variable: str, *, district: str, host: str, ids: Collection[str], policy: Policy
) -> Literal["shared", "own", ""]:
    """What lets a district send this variable to this host; empty if nothing does."""
    if _plain(host) in map(_plain, policy.shared_secrets.get(variable, ())):
        return "shared"
    return "own" if owner_of(variable, ids) == district else ""


def _plain(host: str) -> str:
    return host.casefold().rstrip(".")


def owner_of(variable: str, ids: Collection[str]) -> str | None:
    """The district that a variable is named after, the longest id winning.

    SFTP_OAK_HILL_PASSWORD is of `oak-hill`, and not of `oak` beside it.
    """
    words = variable.split("_")
    starts = (words[1:end] for end in range(len(words) - 1, 1, -1) if words[0] == "SFTP")
    owners = (
        "-".join(start).lower() for start in starts if "".join(start).isupper() or "".join(start).isdigit()
    )
    return next((owner for owner in owners if owner in ids), None)


def _bound_words(file: DistrictFile, variable: str, policy: Policy) -> tuple[str, str]:
    prefix = f"SFTP_{file.stem.replace('-', '_').upper()}_"
    if variable in policy.shared_secrets:
        which = "the default" if file.inherits("sftp.host") else "this"
        return (
            f"this shared secret may not go to {which} host",
            "add the host to policy.shared_secrets in reconciler.yaml",
        )
    if variable.startswith(prefix):
        return (
            "this variable is named after another district of the fleet",
            f"choose a name that begins with {prefix} and with no other district's id",
        )
    return (
        f"the variable's name must begin with {prefix}",
        "rename the variable, or list it with its hosts under policy.shared_secrets in reconciler.yaml",
    )
