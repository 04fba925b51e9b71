"""A district as its YAML file says it, defaults filled in: what is desired, observed and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

SyncState = Literal["started", "stopped"]

MAX_SHOWN = 200
"""Characters of a secret's reference that reports show; a longer one is no name and no path."""
NEXT = "next"
"""The key beside a provider's that names the new secret while one is rotated."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is to be found; never the secret. Written `{env: NAME}`, `{file: PATH}`, …"""

    provider: str
    """`env`, `file`, or the name of a registered provider."""
    reference: str
    """What the provider looks up: a variable's name, a path, … For `age` it is the sealed text itself."""
    next: str = ""
    """While the secret is rotated: where the new one is. Empty: nothing is rotated."""
    next_provider: str = ""
    """The new one's provider, where it is another: from a variable to a sealed secret, say."""

    @property
    def successor(self) -> SecretRef | None:
        """The reference to the new secret, while one is rotated."""
        return SecretRef(self.next_provider or self.provider, self.next) if self.next else None

    def __str__(self) -> str:
        """For people. What is sealed is not shown, nor anything long that might hold as much."""
        if self.provider == "age":
            return "age (sealed)"
        if len(self.reference) > MAX_SHOWN or not self.reference.isprintable():
            return f"{self.provider} (…)"
        return f"{self.provider}:{self.reference}"


@dataclass(frozen=True, slots=True)
class Sftp:
    """How to reach and read the district's server. Exactly one of `password` and `private_key` is set."""

    host: str
    username: str
    port: int = 22
    password: SecretRef | None = None
    private_key: SecretRef | None = None
    passphrase: SecretRef | None = None
    host_key: tuple[str, ...] = ()
    """Pins: `SHA256:…` fingerprints or `type base64` public keys. Empty: none."""
    remote_path: str = "."
    file_pattern: str = "*.csv"


@dataclass(frozen=True, slots=True)
class SchoolMapping:
    """One SIS school and the platform's school that its students belong to."""

    sis_id: str
    school: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which no sync runs, both ends included."""

    start: date
    until: date


@dataclass(frozen=True, slots=True)
class Sync:
    """When a district is synced, and how much one sync may take away or alter."""

    state: SyncState = "started"
    schedule: str = ""
    """A cron expression; empty: only when asked."""
    timezone: str = "UTC"
    pause: tuple[Pause, ...] = ()
    settle_minutes: float = 0
    max_removal_percent: float = 10
    max_change_percent: float = 75


@dataclass(frozen=True, slots=True)
class District:
    """One file of districts/, as a value. Equal files give equal districts, whatever their layout."""

    id: str
    name: str
    account: str
    sftp: Sftp
    mapper: str
    schools: tuple[SchoolMapping, ...] = ()
    """Sorted by `sis_id`."""
    ignored_schools: tuple[str, ...] = ()
    """Sorted."""
    sync: Sync = field(default_factory=Sync)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, every default written out; `from_json` reads it back to an equal district."""
        sftp = {
            "host": self.sftp.host,
            "port": self.sftp.port,
            "username": self.sftp.username,
            "password": _ref_to_json(self.sftp.password),
            "private_key": _ref_to_json(self.sftp.private_key),
            "passphrase": _ref_to_json(self.sftp.passphrase),
            "host_key": list(self.sftp.host_key),
            "remote_path": self.sftp.remote_path,
            "file_pattern": self.sftp.file_pattern,
        }
        sync = {
            "state": self.sync.state,
            "schedule": self.sync.schedule,
            "timezone": self.sync.timezone,
            "pause": [{"from": p.start.isoformat(), "until": p.until.isoformat()} for p in self.sync.pause],
            "settle_minutes": self.sync.settle_minutes,
            "max_removal_percent": self.sync.max_removal_percent,
            "max_change_percent": self.sync.max_change_percent,
        }
        return {
            "district": self.id,
            "name": self.name,
            "account": self.account,
            "sftp": sftp,
            "mapper": self.mapper,
            "schools": [{"sis_id": s.sis_id, "school": s.school, "name": s.name} for s in self.schools],
            "ignored_schools": list(self.ignored_schools),
            "sync": sync,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> District:
        """A district from the shape of its YAML file, already checked against the schema.

        Absent keys take their defaults. Raises KeyError, TypeError or ValueError on a value that the
        schema would have refused.
        """
        return cls(
            id=value["district"],
            name=value["name"],
            account=value["account"],
            sftp=_sftp_from_json(value["sftp"]),
            mapper=value["mapper"],
            schools=tuple(
                sorted(
                    (
                        SchoolMapping(s["sis_id"], s["school"], s.get("name") or "")
                        for s in value.get("schools") or ()
                    ),
                    key=lambda s: s.sis_id,
                )
            ),
            ignored_schools=tuple(sorted(value.get("ignored_schools") or ())),
            sync=_sync_from_json(value.get("sync") or {}),
        )


def _ref_to_json(ref: SecretRef | None) -> dict[str, Any] | None:
    if ref is None:
        return None
    value: dict[str, Any] = {ref.provider: ref.reference}
    if ref.next:
        value[NEXT] = {ref.next_provider: ref.next} if ref.next_provider else ref.next
    return value


def ref_from_json(value: Mapping[str, Any] | None) -> SecretRef | None:
    """A reference from `{provider: reference, next: …}`; None for nothing.

    `next` is a reference for the same provider, or a mapping that names another.
    """
    if not value:
        return None
    ((provider, reference),) = ((k, v) for k, v in value.items() if k != NEXT)
    following = value.get(NEXT) or ""
    if isinstance(following, str):
        return SecretRef(provider, reference, following)
    ((other, following),) = following.items()
    return SecretRef(provider, reference, following, "" if other == provider else other)


def _sftp_from_json(value: Mapping[str, Any]) -> Sftp:
    pins = value.get("host_key") or ()
    return Sftp(
        host=value["host"],
        username=value["username"],
        port=value.get("port", 22),
        password=ref_from_json(value.get("password")),
        private_key=ref_from_json(value.get("private_key")),
        passphrase=ref_from_json(value.get("passphrase")),
        host_key=(pins,) if isinstance(pins, str) else tuple(pins),
        remote_path=value.get("remote_path", "."),
        file_pattern=value.get("file_pattern", "*.csv"),
    )


def _sync_from_json(value: Mapping[str, Any]) -> Sync:
    defaults = Sync()
    return Sync(
        state=value.get("state", defaults.state),
        schedule=value.get("schedule") or "",
        timezone=value.get("timezone") or defaults.timezone,
        pause=tuple(
            Pause(date.fromisoformat(p["from"]), date.fromisoformat(p["until"]))
            for p in value.get("pause") or ()
        ),
        settle_minutes=value.get("settle_minutes", defaults.settle_minutes),
        max_removal_percent=value.get("max_removal_percent", defaults.max_removal_percent),
        max_change_percent=value.get("max_change_percent", defaults.max_change_percent),
    )
