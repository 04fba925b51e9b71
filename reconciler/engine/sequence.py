"""The order of a district's packages: a delta that was never applied must not be lost.

A delta says what changed since the file before it. If a package was seen and not written (a limit held it,
or it was refused, or the run was killed), and other files have taken its place, what it said is nowhere any
more. So each file of a package is on record as pending from when it was downloaded until it is written; only
a bulk file makes up for one that was lost.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import RosterError
from reconciler.roster.packages.manifest import Mode

Pending = Mapping[str, tuple[str, ...]]
"""For each file of the mapper the digests that were seen and not applied, oldest first."""


def refuse_lost(pending: Pending, modes: Mapping[str, Mode], digests: Mapping[str, str]) -> None:
    """Raise RosterError csv.manifest where a file that waits to be applied was replaced by another.

    `digests` has those of the files that are there now.
    """
    for file, waiting in pending.items():
        mode = modes.get(file)
        is_next = mode is Mode.DELTA and digests.get(file) == waiting[0]
        if mode in (Mode.DELTA, Mode.ABSENT) and not is_next:
            raise RosterError(
                f"a file {file} of an earlier package was never applied, and has been replaced: what it said "
                f"is lost, and this package does not say it again",
                code="csv.manifest",
                hint=f"ask the district for a bulk export of {file}, or to put the earlier package back; "
                f"--allow-removals goes on without it. Nothing was changed",
            )


def seen(
    pending: Pending, modes: Mapping[str, Mode], digests: Mapping[str, str], applied: Mapping[str, str]
) -> Pending:
    """What waits once these files have been seen. `applied` has the digests that the stored rows are of."""
    after = dict(pending)
    for file, digest in digests.items():
        mode = modes.get(file, Mode.BULK)
        if mode is Mode.BULK:
            # All that came before it no longer matters.
            after.pop(file, None)
        waiting = after.get(file, ())
        is_known = digest in waiting or (not waiting and digest == applied.get(file))
        if mode is not Mode.ABSENT and not is_known:
            after[file] = (*waiting, digest)
    return after


def written(pending: Pending, modes: Mapping[str, Mode], digests: Mapping[str, str]) -> Pending:
    """What still waits once these files are written."""
    after: dict[str, tuple[str, ...]] = {}
    for file, waiting in pending.items():
        rest = tuple(d for d in waiting if d != digests.get(file))
        if rest and modes.get(file, Mode.BULK) is not Mode.BULK:
            after[file] = rest
    return after
