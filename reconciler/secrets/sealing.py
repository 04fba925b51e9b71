"""Seals a secret for one login, and opens it again: an age file whose plaintext says where it may go.

age proves to nobody who wrote a file, and ties it to nothing. So the login lies inside, beside the secret:

    {"reconciler": 1, "district": …, "host": …, "port": …, "username": …, "secret": …}

Whoever moves the ciphertext to another district or host moves that along, and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyrage

from reconciler.config.sealed_text import NotSealedTextError, ciphertext_of
from reconciler.secrets.context import SecretContext
from reconciler.secrets.login import plain_host

VERSION = 1
MAX_SECRET_BYTES = 16 * 1024
"""An RSA key of 16,384 bits has 12 KiB; sealed and armored this still fits into a district's file."""
_PADDED_TO = 256
"""Bytes: the length of a ciphertext must not tell the length of a password."""


class NotOpenedError(Exception):
    """The text cannot be opened. `wrong_identity`: it may well be sound, for somebody else."""

    def __init__(self, fault: str, *, wrong_identity: bool = False):
        super().__init__(fault)
        self.wrong_identity = wrong_identity


class NotBoundError(Exception):
    """It was opened, and says no login: `seal` has not made it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside: the login that it was sealed for, and the secret."""

    login: SecretContext
    secret: str = field(repr=False)


def seal(secret: str, login: SecretContext, recipients: Sequence[Any]) -> str:
    """The armored ciphertext, which each of the recipients can open.

    Raises ValueError for a secret that is empty or too large.
    """
    if not secret or len(secret.encode()) > MAX_SECRET_BYTES:
        raise ValueError(f"a secret has 1 to {MAX_SECRET_BYTES} bytes")
    envelope = {
        "reconciler": VERSION,
        "district": login.district,
        "host": plain_host(login.host),
        "port": login.port,
        "username": login.username,
        "secret": secret,
    }
    plain = json.dumps(envelope).encode()
    padded = plain + b" " * (-len(plain) % _PADDED_TO)
    armored: bytes = pyrage.encrypt(padded, list(recipients), armored=True)
    return armored.decode("ascii")


def unseal(text: str, identities: Sequence[Any]) -> Opened:
    """What `seal` has put in. Raises NotOpenedError and NotBoundError, neither with any of the plaintext."""
    try:
        plain = pyrage.decrypt(ciphertext_of(text), list(identities))
    except NotSealedTextError as error:
        raise NotOpenedError(str(error)) from None
    except pyrage.DecryptError as error:
        wrong = "no matching keys" in str(error).lower()
        raise NotOpenedError("is damaged: cut off or altered", wrong_identity=wrong) from None
    try:
        envelope = json.loads(plain)
    except (ValueError, RecursionError):
        raise NotBoundError from None  # the error quotes the plaintext
    return _opened(envelope)


def _opened(envelope: Any) -> Opened:
    kinds = {"reconciler": int, "district": str, "host": str, "port": int, "username": str, "secret": str}
    if not isinstance(envelope, dict):
        raise NotBoundError
    if any(type(envelope.get(name)) is not kind for name, kind in kinds.items()):
        raise NotBoundError
    if envelope["reconciler"] != VERSION:
        raise NotOpenedError("was sealed by a newer version of this program")
    login = SecretContext(envelope["district"], envelope["host"], envelope["port"], envelope["username"])
    return Opened(login, envelope["secret"])
