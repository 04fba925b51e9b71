"""Joins secrets and SFTP to what the engine calls a file source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.config.district import NEXT, District, SecretRef
from reconciler.config.policy import Policy
from reconciler.errors import SecretError, SftpError
from reconciler.planning.connection import Connection
from reconciler.secrets import SecretResolver
from reconciler.settings import Settings
from reconciler.sftp import Limits, Session, Target, connect

LIMITS = Limits()
"""What a server may cost a run."""
_CURRENT = "current"
_OLD_CAN_GO = (
    "the server took the new secret (next), and from now on it alone is used: the old one can go; "
    "put what stands under next in its place"
)

_OLD_WAS_USED = "the new secret (next) was not taken earlier in this run; the old one was used"


class SftpSource:
    """Opens sessions on districts' servers, each with its own secret, resolved at the last moment."""

    def __init__(self, settings: Settings, policy: Policy):
        self._resolver = SecretResolver(
            settings.environ,
            settings.secrets_dir,
            policy.shared_secrets,
            settings.age_identity,
            settings.age_identity_file,
        )
        self._first_use = policy.host_keys == "first-use"

    def open(
        self,
        connection: Connection,
        host_key_seen: str,
        secret_slot: str = "",
        before_login: Callable[[], None] = lambda: None,
    ) -> Session:
        """A session, every secret resolved before the first packet. Raises SecretError and SftpError.

        `before_login` is called each time that a login is about to be sent; what it raises comes out.

        While a secret is rotated, the new one is tried first and the old one where it is refused; with
        `secret_slot` only that one: each login that is refused counts against the account.
        """
        targets = self._targets(connection, host_key_seen, secret_slot)
        first, *others = (replace(target, before_login=before_login) for target in targets)
        try:
            return connect(first)
        except SftpError as error:
            if error.code != "sftp.auth":
                raise
            if not others:
                raise _with_slot(error, secret_slot) from error
            refused = error
        note = f"the new secret (next) was not taken ({refused.message}); the old one was used"
        return _connect_after_a_refusal(replace(others[0], note=note))

    def target(self, connection: Connection, host_key_seen: str, secret_slot: str = "") -> Target:
        """The login that is tried first; without a pin, the key seen first counts as one."""
        return self._targets(connection, host_key_seen, secret_slot)[0]

    def _targets(self, connection: Connection, host_key_seen: str, secret_slot: str) -> list[Target]:
        """The logins to try, in order. Raises SecretError where none is there, or one is another login's."""
        sftp = connection.district.sftp
        refs = (sftp.password, sftp.private_key, sftp.passphrase)
        if not any(ref and ref.next for ref in refs):
            return [self._target(connection, host_key_seen, "")]
        if secret_slot in (NEXT, _CURRENT):
            one = self._target(connection, host_key_seen, secret_slot)
            return [one if secret_slot == NEXT else replace(one, note=_OLD_WAS_USED)]
        new = self._if_there(connection, host_key_seen, NEXT)
        if isinstance(new, Target):
            old = self._if_there(connection, host_key_seen, _CURRENT)
            return [new, old] if isinstance(old, Target) else [new]
        note = f"the new secret (next) is not there yet ({new.message}); the old one was used"
        return [replace(self._target(connection, host_key_seen, _CURRENT), note=note)]

    def _if_there(self, connection: Connection, host_key_seen: str, slot: str) -> Target | SecretError:
        """The login with one of two secrets, or why it is not there. Raises SecretError `secret.bound`."""
        try:
            return self._target(connection, host_key_seen, slot)
        except SecretError as error:
            if error.code != SecretError.code:
                raise
            return error

    def _target(self, connection: Connection, host_key_seen: str, slot: str) -> Target:
        district, sftp = connection.district, connection.district.sftp
        pins = sftp.host_key or ((host_key_seen,) if host_key_seen else ())
        password = self._reveal(sftp.password, district, slot)
        if password and "PRIVATE KEY-----" in password:
            raise SecretError(
                f"what district {district.id} names as its password is a private key",
                code="secret.bound",
                hint="name it under private_key: a key is never sent to a server, and a password is",
            )
        return Target(
            host=sftp.host,
            port=sftp.port,
            username=sftp.username,
            password=password,
            private_key=self._reveal(sftp.private_key, district, slot),
            passphrase=self._reveal(sftp.passphrase, district, slot),
            pins=pins,
            accept_first=self._first_use and not pins,
            limits=LIMITS,
            secret_slot=slot,
            note=_OLD_CAN_GO if slot == NEXT else "",
        )

    def _reveal(self, ref: SecretRef | None, district: District, slot: str) -> str | None:
        if ref is None:
            return None
        chosen = (ref.successor or ref) if slot == NEXT else ref
        sftp = district.sftp
        return self._resolver.resolve(
            chosen, district=district.id, host=sftp.host, port=sftp.port, username=sftp.username
        ).reveal()


def _connect_after_a_refusal(target: Target) -> Session:
    """A session; whatever it fails for, a new try would send the refused secret again."""
    try:
        return connect(target)
    except SftpError as error:
        error.at_login = True
        raise


def _with_slot(error: SftpError, secret_slot: str) -> SftpError:
    """The refusal of a login; where the old secret was left alone, this is said."""
    if secret_slot != NEXT:
        return error
    hint = "the server had taken the new secret (next) before, so the old one was not tried; " + error.hint
    told = SftpError(error.message, code=error.code, hint=hint)
    told.at_login = error.at_login
    return told
