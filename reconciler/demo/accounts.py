"""The districts' logins on the throwaway server, each with a secret made for this one demo."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.district import District, SecretRef
from reconciler.demo.server import Account


@dataclass(frozen=True, slots=True)
class Accounts:
    """Logins for the server, and what the commands have to know to use them."""

    logins: dict[str, Account]
    """By user name."""
    uploads: dict[str, Path]
    """District to the folder, on this machine, that its `remote_path` leads to."""
    environment: dict[str, str] = field(repr=False)
    """The variables that the districts' files name, with their passwords."""


def open_accounts(districts: Iterable[District], server_root: Path, secrets_dir: Path) -> Accounts:
    """A login and a folder for each district; private keys are written to `secrets_dir`."""
    accounts = Accounts({}, {}, {})
    for district in districts:
        sftp = district.sftp
        home = server_root / district.id
        uploads = home / sftp.remote_path.strip("/")
        uploads.mkdir(parents=True)
        accounts.uploads[district.id] = uploads
        accounts.logins[sftp.username] = (
            _with_password(home, sftp.password, accounts.environment)
            if sftp.password
            else _with_key(home, sftp.private_key, secrets_dir)
        )
    return accounts


def _with_password(home: Path, ref: SecretRef, environment: dict[str, str]) -> Account:
    password = secrets.token_urlsafe()
    environment[ref.reference] = password
    return Account(home, password)


def _with_key(home: Path, ref: SecretRef | None, secrets_dir: Path) -> Account:
    import asyncssh  # noqa: PLC0415 – an extra: only who starts a server needs it

    key = asyncssh.generate_private_key("ssh-ed25519")
    if ref:
        file = secrets_dir / ref.reference
        file.touch(mode=0o600)
        file.write_bytes(key.export_private_key("openssh"))
    return Account(home, authorized_key=key.export_public_key("openssh").decode("ascii").strip())
