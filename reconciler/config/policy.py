"""What reconciler.yaml says about the whole fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.config.defaults import Defaults


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may go without a question: so many rows, or that share of them where it is more."""

    rows: int
    percent: float

    def of(self, total: int) -> int:
        """The rows that are allowed of so many."""
        return max(self.rows, int(total * self.percent / 100))


@dataclass(frozen=True, slots=True)
class ContactSafety:
    """Changes to contacts that hold a sync however small it is. See docs/safety.md for the reasons."""

    max_loosened: Allowance = Allowance(3, 0.5)
    """Relationships that allow more than before; a school office grants a few on any day."""
    max_alerts_lifted: Allowance = Allowance(0, 0.02)
    """Custody alerts that go while the student stays: rare, and the gravest to get wrong."""
    max_without_emergency: Allowance = Allowance(3, 0.5)
    """Students who lose the last contact who is called in an emergency, and keep others."""
    max_without_contact: Allowance = Allowance(10, 0.5)
    """Students who lose their last contact: as many as any rows may go of a small district."""
    max_moved: Allowance = Allowance(3, 0.5)
    """Contacts that move to another family."""
    max_students_per_phone: int = 25
    """Students whose contacts may share a phone: a shelter has many, a file that was filled down has all."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long `purge` leaves what is no longer needed. Days."""

    removed_rows_days: int = 365
    """After its removal, a row of the roster: one school year, in which a child may come back."""
    rejects_days: int = 90
    """After the district's last sync, its rejected rows."""
    history_days: int = 1095
    """After its start, a run and what it did. Three years, as audits of student records ask for."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that every district is held to."""

    host_keys: Literal["pinned", "first-use"] = "pinned"
    """`first-use` records the first key that a server without a pin shows, and holds to it."""
    hosts: tuple[str, ...] = ()
    """Hosts that `plan --preview` may send an env or file secret to."""
    shared_secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of environment variables that several districts use, each with the hosts that may receive it.

    Of other providers the whole reference, as `file:PATH` or `vault:PATH#KEY`.
    """
    age_recipients: tuple[str, ...] = ()
    """Public keys that every secret is sealed for."""
    retire_after_days: int = 30
    """Days between the removal of a district's file and its rows becoming inactive."""
    max_reject_percent: float = 5
    """Over this share of an entity's rows rejected, nothing is written."""
    contact_safety: ContactSafety = ContactSafety()
    """What may change of contacts' rights without a question."""
    retention: Retention = Retention()
    """What `purge` erases."""


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """reconciler.yaml as a value; a repository without the file has the defaults."""

    database_url: str | None = None
    policy: Policy = field(default_factory=Policy)
    defaults: Defaults = field(default_factory=Defaults)
    """What districts' files leave unsaid."""
