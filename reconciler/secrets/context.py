"""Where a secret is about to be sent: what a provider needs to refuse one that belongs elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretContext:
    """The district that asks, and the login that the secret is for."""

    district: str
    host: str
    port: int
    username: str
    shared_with: tuple[str, ...] | None = None
    """The hosts that `policy.shared_secrets` lists for the very reference that is asked for; None: none."""


Provider = Callable[[str, SecretContext], str]
"""Looks a reference up for a context. Raises SecretError `secret.missing` or `secret.bound`.

Registered in the entry-point group `reconciler.secrets` under the name that district files use."""
