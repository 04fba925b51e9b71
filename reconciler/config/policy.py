"""What reconciler.yaml says about the whole fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that every district is held to."""

    host_keys: Literal["pinned", "first-use"] = "pinned"
    """`first-use` records the first key that a server without a pin shows, and holds to it."""
    hosts: tuple[str, ...] = ()
    """Hosts that `plan --preview` may send an env or file secret to."""
    shared_secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of environment variables that several districts use, each with the hosts that may receive it."""
    retire_after_days: int = 30
    """Days between the removal of a district's file and its rows becoming inactive."""
    max_reject_percent: float = 5
    """Over this share of an entity's rows rejected, nothing is written."""


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """reconciler.yaml as a value; a repository without the file has the defaults."""

    database_url: str | None = None
    policy: Policy = field(default_factory=Policy)
