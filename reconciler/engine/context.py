"""What every part of the engine is given: the two ports, the policy, the mappers and the clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.config.policy import Policy
from reconciler.engine.approving import Approvals

if TYPE_CHECKING:
    from reconciler.engine.ports import ConnectionStore, FileSource
    from reconciler.engine.seen import Seen
    from reconciler.mapping.model import Mapper


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that a run shares; safe to use from several threads."""

    store: ConnectionStore
    source: FileSource
    mapper: Callable[[str], Mapper]
    """A mapper by its name; raises MapperError."""
    policy: Policy = field(default_factory=Policy)
    approvals: Approvals = field(default_factory=Approvals)
    """What git approves of held rows."""
    allow_removals: Collection[str] = ()
    """Districts whose limits are waived in this run, once."""
    now: Callable[[], datetime] = utc_now
    lock_wait_seconds: float = 60.0
    """How long to wait for another run that works on the same district."""
    planned: Mapping[str, Seen | None] = field(default_factory=dict)
    """Files and rows that a saved plan holds these districts to; None: its preview could not say."""
    scratch: Path | None = None
    """Where private working folders are made; None: the system's temporary folder."""
