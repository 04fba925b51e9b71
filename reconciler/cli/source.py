"""Joins secrets and SFTP to what the engine calls a file source."""

from __future__ import annotations

from reconciler.config.district import SecretRef
from reconciler.config.policy import Policy
from reconciler.planning.connection import Connection
from reconciler.secrets import SecretResolver
from reconciler.settings import Settings
from reconciler.sftp import Session, Target, connect


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

    def open(self, connection: Connection, host_key_seen: str) -> Session:
        """Raises SecretError and SftpError."""
        return connect(self.target(connection, host_key_seen))

    def target(self, connection: Connection, host_key_seen: str) -> Target:
        """The login of a connection; without a pin, the key seen first counts as one."""
        district = connection.district
        sftp = district.sftp

        def reveal(ref: SecretRef | None) -> str | None:
            if ref is None:
                return None
            secret = self._resolver.resolve(
                ref, district=district.id, host=sftp.host, port=sftp.port, username=sftp.username
            )
            return secret.reveal()

        pins = sftp.host_key or ((host_key_seen,) if host_key_seen else ())
        return Target(
            host=sftp.host,
            port=sftp.port,
            username=sftp.username,
            password=reveal(sftp.password),
            private_key=reveal(sftp.private_key),
            passphrase=reveal(sftp.passphrase),
            pins=pins,
            accept_first=self._first_use and not pins,
        )
