"""Keys of age: recipients that secrets are sealed for, identities that open them. X25519 and SSH ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyrage

_IDENTITY = "AGE-SECRET-KEY-"
_SSH_PRIVATE = "PRIVATE KEY-----"


class KeyTextError(ValueError):
    """A text is no key; says which line and why, and quotes none of it."""


def recipient_of(text: str) -> Any:
    """A recipient: `age1…`, `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`. Raises KeyTextError."""
    stripped = text.strip()
    if is_private(stripped):
        raise KeyTextError(
            "is a private key: the recipient is its public part, which begins with age1 or ssh-"
        )
    ssh = stripped.startswith("ssh-")
    if not ssh and not stripped.startswith("age1"):
        raise KeyTextError("is no recipient: one begins with age1, ssh-ed25519 or ssh-rsa")
    try:
        return pyrage.ssh.Recipient.from_str(stripped) if ssh else pyrage.x25519.Recipient.from_str(stripped)
    except pyrage.RecipientError:
        raise KeyTextError("is not a whole recipient: letters are missing or altered") from None


def is_private(text: str) -> bool:
    """Whether a text holds a key that opens sealed secrets, or logs in somewhere."""
    return _IDENTITY in text.upper() or _SSH_PRIVATE in text


def identities_of(text: str) -> list[Any]:
    """All identities in a text: lines as age-keygen writes them, or one SSH private key.

    Blank lines and comments are passed over. Raises KeyTextError.
    """
    if _SSH_PRIVATE in text:
        return [_ssh_identity(text.strip() + "\n")]
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words: Sequence[str] = [] if line.strip().startswith("#") else line.split()
        found += [_identity(word, number) for word in words]
    return found


def _identity(word: str, number: int) -> Any:
    try:
        return pyrage.x25519.Identity.from_str(word)
    except pyrage.IdentityError:
        kind = "a recipient, not an identity" if word.startswith("age1") else "no age identity"
        raise KeyTextError(f"line {number} is {kind}") from None


def _ssh_identity(text: str) -> Any:
    try:
        return pyrage.ssh.Identity.from_buffer(text.encode())
    except pyrage.IdentityError as error:
        locked = "decrypted" in str(error)
        raise KeyTextError(
            "the SSH key is locked with a passphrase" if locked else "the SSH key cannot be read"
        ) from None
