"""Which steps follow from which changed path. This table is the whole rule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from reconciler.config.district import District, Sync
from reconciler.planning.change import FieldChange, Step
from reconciler.planning.connection import Phase

_FOLLOWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("sftp.remote_path", (Step.TEST, Step.INITIALIZE, Step.MAP_SCHOOLS, Step.SYNC)),
    ("sftp.file_pattern", (Step.TEST, Step.INITIALIZE, Step.MAP_SCHOOLS, Step.SYNC)),
    ("sftp.", (Step.TEST, Step.SYNC)),
    ("mapper", (Step.INITIALIZE, Step.MAP_SCHOOLS, Step.SYNC)),
    ("schools[", (Step.MAP_SCHOOLS, Step.SYNC)),
    ("ignored_schools[", (Step.MAP_SCHOOLS, Step.SYNC)),
)
"""The first prefix that a path starts with decides. Every other path is saved, and nothing follows."""

_PREREQUISITE = {
    Step.TEST: Phase.SAVED,
    Step.INITIALIZE: Phase.TESTED,
    Step.MAP_SCHOOLS: Phase.INITIALIZED,
    Step.SYNC: Phase.MAPPED,
}
"""The phase that a connection is in when a step begins: where an interrupted one goes on."""


def target_phase(district: District, now: datetime) -> Phase:
    """Where a connection has to come by now: without a mapped school not further than initialized."""
    if not district.schools:
        return Phase.INITIALIZED
    if district.sync.state == "stopped" or paused_until(district.sync, now):
        return Phase.MAPPED
    return Phase.SYNCING


def paused_until(sync: Sync, now: datetime) -> date | None:
    """The last day of the pause that today, by the district's own calendar, falls into; None if in none."""
    today = now.astimezone(ZoneInfo(sync.timezone)).date()
    return max((p.until for p in sync.pause if p.start <= today <= p.until), default=None)


def steps_for(fields: Iterable[FieldChange]) -> set[Step]:
    """The steps that the changed fields ask for, before the district's own limits on them."""
    wanted: set[Step] = set()
    for field in fields:
        for prefix, steps in _FOLLOWS:
            if field.path.startswith(prefix):
                wanted.update(steps)
                break
    return wanted


def steps_from(phase: Phase) -> set[Step]:
    """All steps that a connection in this phase has still before it."""
    return {step for step, begins in _PREREQUISITE.items() if begins.reaches(phase)}


def phase_before(steps: Iterable[Step], reached: Phase) -> Phase:
    """The phase to fall back to before these steps are taken; never further than what was reached."""
    begins = [_PREREQUISITE[s] for s in steps if s in _PREREQUISITE]
    return min([reached, *begins], key=list(Phase).index)


def phase_after(steps: Iterable[Step], reached: Phase) -> Phase:
    """The phase that these steps lead to, counting what was reached before and is not taken again."""
    order = list(Phase)
    ends = [order[order.index(_PREREQUISITE[s]) + 1] for s in steps if s in _PREREQUISITE]
    return max([reached, *ends], key=order.index)


def ordered(steps: Iterable[Step], district: District, now: datetime) -> tuple[Step, ...]:
    """The steps in their order, without those that the district does not want (yet)."""
    wanted = set(steps)
    target = target_phase(district, now)
    for step, phase in ((Step.MAP_SCHOOLS, Phase.MAPPED), (Step.SYNC, Phase.SYNCING)):
        if not target.reaches(phase):
            wanted.discard(step)
    return tuple(step for step in Step if step in wanted)
