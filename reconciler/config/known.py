"""What is known of a district file by its fingerprint, so that it need not be read again to be checked.

Remembered are only files without any finding of their own, warnings included, whose claims nobody but the
owner of the same account can contest. All others are read each time: a verdict that is not plain is not
worth an exception to a rule.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.config.borrowed import bears_its_name
from reconciler.config.district_checks import SECRETS
from reconciler.config.district_file import DistrictFile
from reconciler.config.fleet_checks import claimed, owner_of
from reconciler.config.source import Source

Known = tuple[str, str, str]
"""Of a file that is right in itself what another file may contradict: account, mapper, and sealed texts.

Of these digests, with commas between them, or NOT_SEALED: two files with the same one are warned of.
"""
NOT_SEALED = "-"
Memory = Mapping[str, Known]
"""By fingerprint."""
Recall = Callable[[], Memory]
"""Fetches a memory; called only where there is something to look up."""

_PLAIN_CLAIMS = frozenset({"district", "account", "mapper", "sftp.host"})
_ENV_CLAIMS = frozenset(f"sftp.{name}.env" for name in SECRETS)


def known_of(file: DistrictFile) -> Known | None:
    """What to remember of a file as it was read by itself; None where it has to be read each time."""
    if file.district is None or file.problems:
        return None
    sealed, files = _secrets(file, "age"), _secrets(file, "file")
    if not all(bears_its_name(name, file.stem) for name in files.values()):
        return None
    others = file.claims.keys() - _PLAIN_CLAIMS - sealed.keys() - files.keys()
    if others - _ENV_CLAIMS or not all(_nobody_elses(file.claims[path], file.stem) for path in others):
        return None
    return file.claims["account"], file.claims["mapper"], _digests(sealed.values()) or NOT_SEALED


def _digests(texts: Iterable[str]) -> str:
    """Of ciphertexts, which say nothing of what is sealed in them; layout does not count."""
    plain = ("".join(text.split()).encode() for text in texts)
    return ",".join(sorted({hashlib.sha256(text).hexdigest()[:32] for text in plain}))


def _secrets(file: DistrictFile, provider: str) -> dict[str, str]:
    """The secrets of a file that are to be had of this provider, each by its path in the file."""
    paths = (path for name in SECRETS for path in claimed(file, name, provider))
    return {path: file.claims[path] for path in paths}


def _nobody_elses(variable: str, district: str) -> bool:
    """Whether the variable is this district's whatever other ids there are: no longer id fits into it."""
    longest = "SFTP_" + district.upper().replace("-", "_")
    return variable.rpartition("_")[0] == longest and owner_of(variable, (district,)) == district


def recalled(sources: Iterable[Source], recalls: Sequence[Recall]) -> dict[str, Known]:
    """What the memories, the first ones first, know of these files; by fingerprint."""
    found: dict[str, Known] = {}
    missing = [source.fingerprint for source in sources if source.fingerprint]
    for recall in recalls:
        if missing:
            memory = recall()
            found.update({one: memory[one] for one in missing if one in memory})
            missing = [one for one in missing if one not in found]
    return found


@dataclass(frozen=True, slots=True)
class Doubts:
    """What is not sure beside other files: what two of them have, and mappers that are not there."""

    ids: set[str]
    accounts: set[str]
    mappers: set[str]
    sealed: set[str]

    def __bool__(self) -> bool:
        return bool(self.ids or self.accounts or self.mappers or self.sealed)

    def concern(self, district: str, known: Known) -> bool:
        """Whether a file has to be read although it is known."""
        account, mapper, sealed = known
        if district in self.ids or account in self.accounts or mapper in self.mappers:
            return True
        return bool(self.sealed) and not self.sealed.isdisjoint(sealed.split(","))


def doubts(
    known: Mapping[str, Known],
    ids: Sequence[str],
    read: Sequence[DistrictFile],
    mappers: Collection[str] | None,
) -> Doubts:
    """What of the files that are `known`, by fingerprint, is not sure beside all others.

    `ids`: of all files. `read`: the files that are not known; an account counts as claimed also where its
    file is wrong in other ways. `mappers` None: not known, not checked.
    """
    accounts, named, sealed_texts = zip(*known.values(), strict=True) if known else ((), (), ())
    missing = set() if mappers is None else set(named) - set(mappers)
    texts = [sealed for sealed in sealed_texts if sealed != NOT_SEALED]
    texts += [_digests(_secrets(file, "age").values()) for file in read]
    sealed = _twice([one for text in texts if text for one in text.split(",")])
    return Doubts(_twice(ids), _twice([*accounts, *_accounts(read)]), missing, sealed)


def _twice(values: Sequence[str]) -> set[str]:
    """The values that stand more than once; mostly none does, and that is quickly seen."""
    if len(set(values)) == len(values):
        return set()
    return {value for value, times in Counter(values).items() if times > 1}


def _accounts(read: Iterable[DistrictFile]) -> list[str]:
    return [file.claims["account"] for file in read if "account" in file.claims]
