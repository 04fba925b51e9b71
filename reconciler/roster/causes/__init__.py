"""Why so many rows went or changed at once: the likeliest cause, with its evidence in counts.

Each detector asks one question of the rows that broke the limit, and answers only where it explains most of
them. The first that answers names the cause: what fits few situations is asked before what fits many.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.roster.causes import departures, files, ids, schools, values, years
from reconciler.roster.causes.cause import Cause
from reconciler.roster.causes.evidence import Evidence, Surroundings

__all__ = ["Cause", "Evidence", "Surroundings", "likely_cause"]

Detector = Callable[[Evidence], Cause | None]

OF_REMOVALS: tuple[Detector, ...] = (
    ids.leading_zeros,
    years.rollover,
    values.garbled_names,
    files.columns_of_keys,
    values.emptied_reach,
    ids.rekeyed,
    ids.other_numbers,
    schools.not_mapped,
    departures.filtered,
    files.part_missing,
    schools.absent,
    files.cut,
    files.other_format,
    ids.other_people,
)
OF_CHANGES: tuple[Detector, ...] = (
    years.rollover,
    years.dates_rewritten,
    files.columns_of_changed_fields,
    values.emptied,
    values.swapped,
    values.garbled,
    files.other_format,
)


def likely_cause(evidence: Evidence) -> Cause:
    """The first cause that explains most of the rows; the bare facts where none does."""
    for detect in OF_REMOVALS if evidence.removed else OF_CHANGES:
        cause = detect(evidence)
        if cause:
            return cause
    return departures.departed(evidence) if evidence.removed else values.differing(evidence)
