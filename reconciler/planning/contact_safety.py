"""Who may fetch a child, and who is called: changes that are held even when the whole sync is small.

Pure, over counts: the same function serves every run that could write.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.config.policy import Allowance, ContactSafety


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """What a sync would do to contacts and their rights, in counts."""

    relationships: int = 0
    """Active before the sync."""
    students: int = 0
    """Active before the sync."""
    emptied: tuple[str, ...] = ()
    """Rights that some relationship had said and that none says now."""
    alerts_lifted: int = 0
    """Relationships whose custody alert goes, of students who stay."""
    loosened: int = 0
    """Relationships that allow to pick up, or say to call, where they did not; or no longer forbid it."""
    moved: int = 0
    """Contacts that leave a student who stays for another who is not of the family."""
    without_emergency: int = 0
    """Students who stay and lose their last emergency contact, and have others left."""
    without_contact: int = 0
    """Students who stay and lose their last contact."""
    shared_phones: int = 0
    """Phones that come to be on the contacts of more students than the policy allows."""
    most_students: int = 0
    """The students of the phone with most of them."""


@dataclass(frozen=True, slots=True)
class ContactBreach:
    """A limit of `policy.contact_safety` that a sync would break."""

    code: str
    text: str
    of: str = ""
    """Which rows: an entity, or the right that is emptied."""
    rows: int = 0
    active: int = 0

    def __str__(self) -> str:
        return self.text


def contact_breaches(changes: ContactChanges, limits: ContactSafety) -> list[ContactBreach]:
    """The limits that these changes break, the gravest first; none where nothing was stored before."""
    if not changes.relationships:
        return []
    found = [
        ContactBreach(
            "rights-emptied",
            f"{right} was said for some relationships and is said for none now",
            right,
            changes.relationships,
            changes.relationships,
        )
        for right in changes.emptied
    ]
    found += _over(
        "alerts-lifted", changes.alerts_lifted, changes.relationships, limits.max_alerts_lifted,
        "custody alerts lifted from students who stay", "max_alerts_lifted",
    )  # fmt: skip
    found += _over(
        "rights-loosened", changes.loosened, changes.relationships, limits.max_loosened,
        "relationships that would allow more than before (may_pick_up or emergency)", "max_loosened",
    )  # fmt: skip
    found += _over(
        "contacts-moved", changes.moved, changes.relationships, limits.max_moved,
        "contacts that would move to another family while their student stays", "max_moved",
    )  # fmt: skip
    found += _over(
        "emergency-lost", changes.without_emergency, changes.students, limits.max_without_emergency,
        "students who stay and lose their last emergency contact", "max_without_emergency",
    )  # fmt: skip
    found += _over(
        "contacts-lost", changes.without_contact, changes.students, limits.max_without_contact,
        "students who stay and lose their last contact", "max_without_contact",
    )  # fmt: skip
    return found + shared_phones(changes, limits)


def shared_phones(changes: ContactChanges, limits: ContactSafety) -> list[ContactBreach]:
    """Phones that come to be on too many students; in a first sync this is no more than worth a note."""
    if not changes.shared_phones:
        return []
    allowed = limits.max_students_per_phone
    text = (
        f"phones that would be on the contacts of more than {allowed} students: {changes.shared_phones}, "
        f"with up to {changes.most_students} (policy.contact_safety.max_students_per_phone is {allowed})"
    )
    return [ContactBreach("phone-shared", text, "phones", changes.shared_phones, changes.most_students)]


def _over(code: str, rows: int, of: int, limit: Allowance, what: str, path: str) -> list[ContactBreach]:
    allowed = limit.of(of)
    if rows <= allowed:
        return []
    text = f"{what}: {rows} (policy.contact_safety.{path} allows {allowed} of {of})"
    whose = "students" if code in ("emergency-lost", "contacts-lost") else "relationships"
    return [ContactBreach(code, text, whose, rows, of)]
