"""Host keys and pins: what a server shows, and what a district's file says it must show."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

FAMILIES: tuple[tuple[str, ...], ...] = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
"""Host key algorithms that we accept, best first. A server shows one key of each family at most."""

ALGORITHMS = tuple(name for family in FAMILIES for name in family)


@dataclass(frozen=True, slots=True)
class HostKey:
    """A server's public key: its type as known_hosts writes it, and the bytes of its blob."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, without padding, as OpenSSH prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode("ascii")
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def family(self) -> tuple[str, ...]:
        return _family(self.type)

    def __str__(self) -> str:
        return f"{self.type} {base64.b64encode(self.blob).decode('ascii')}"


def is_pinned(key: HostKey, pins: Sequence[str]) -> bool:
    """Whether any pin names exactly this key."""
    return any(_matches(key, pin) for pin in pins)


def pinned_fingerprints(pins: Sequence[str]) -> list[str]:
    """The pins as fingerprints, for messages; a pin that cannot be read is named as such."""
    return [_pin_fingerprint(pin) for pin in pins]


def first_choice(pins: Sequence[str]) -> tuple[str, ...]:
    """Algorithms to negotiate with: the types of the pinned keys first, so that those are shown."""
    wanted = [name for pin in pins if (key := parse(pin)) for name in key.family]
    return tuple(dict.fromkeys([*wanted, *ALGORITHMS]))


def other_choices(seen: HostKey, pins: Sequence[str]) -> list[tuple[str, ...]]:
    """Families to ask for after `seen` did not match.

    A fingerprint does not say of which type its key is, and a server shows the key that we prefer: the
    pinned one may be another of its keys.
    """
    if not any(_is_fingerprint(pin) for pin in pins):
        return []
    return [family for family in FAMILIES if family != seen.family]


def parse(pin: str) -> HostKey | None:
    """A `type base64 [comment]` pin as a key; None for anything else."""
    fields = pin.split()
    if len(fields) < 2 or not _family(fields[0]):
        return None
    try:
        return HostKey(fields[0], base64.b64decode(fields[1], validate=True))
    except binascii.Error:
        return None


def _matches(key: HostKey, pin: str) -> bool:
    if _is_fingerprint(pin):
        return pin.strip().rstrip("=")[7:] == key.fingerprint[7:]
    parsed = parse(pin)
    return parsed is not None and parsed.blob == key.blob


def _is_fingerprint(pin: str) -> bool:
    return pin.strip()[:7].upper() == "SHA256:"


def _pin_fingerprint(pin: str) -> str:
    if _is_fingerprint(pin):
        return pin.strip().rstrip("=")
    key = parse(pin)
    return key.fingerprint if key else "a pin that is neither a fingerprint nor a public key"


def _family(key_type: str) -> tuple[str, ...]:
    # An RSA key is of type ssh-rsa whatever it signs with; the SHA-1 signature of that name is not accepted.
    name = "rsa-sha2-512" if key_type == "ssh-rsa" else key_type
    return next((family for family in FAMILIES if name in family), ())
