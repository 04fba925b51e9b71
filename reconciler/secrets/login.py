"""Which login a secret is for, and when two of them are the same."""

from __future__ import annotations

from reconciler.config.district import District
from reconciler.secrets.context import SecretContext


def login_of(district: District) -> SecretContext:
    """The login that a district's file (or its record in the database) names."""
    sftp = district.sftp
    return SecretContext(district.id, sftp.host, sftp.port, sftp.username)


def same_host(one: str, other: str) -> bool:
    """Whether two names are one host: letter case and a dot at the end make no other."""
    return plain_host(one) == plain_host(other)


def plain_host(host: str) -> str:
    return host.casefold().rstrip(".")


def differences(wanted: SecretContext, found: SecretContext) -> list[str]:
    """What of two logins differs, in words of the district's file, `sftp.host` say; none: they are one."""
    return [
        *(["district"] if wanted.district != found.district else []),
        *(["sftp.host"] if not same_host(wanted.host, found.host) else []),
        *(["sftp.port"] if wanted.port != found.port else []),
        *(["sftp.username"] if wanted.username != found.username else []),
    ]
