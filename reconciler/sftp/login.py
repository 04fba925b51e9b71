"""Login with the one credential that the district's file names: no agent, no key files, no second guess."""

from __future__ import annotations

import io

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from reconciler.errors import SftpError
from reconciler.sftp.errors import Stage, listed
from reconciler.sftp.link import Link
from reconciler.sftp.target import Target


def load_key(target: Target) -> paramiko.PKey | None:
    """The target's private key; None where it logs in with a password.

    Raises SftpError `sftp.auth` for a key that cannot be read, or is locked to its passphrase.
    """
    if target.private_key is None:
        return None
    try:
        return _for_paramiko(_parse(target.private_key.encode(), target.passphrase))
    except TypeError as error:
        raise _unusable(target, "is encrypted", "add its passphrase under sftp") from error
    except (ValueError, UnsupportedAlgorithm, paramiko.SSHException) as error:
        fault = "cannot be read, or its passphrase is wrong" if target.passphrase else "cannot be read"
        raise _unusable(target, fault, "give an ed25519, ECDSA or RSA key in OpenSSH or PEM form") from error


def _parse(text: bytes, passphrase: str | None) -> object:
    """A key of any kind. TypeError: it is encrypted, and there is no passphrase."""
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in text else load_pem_private_key
    if passphrase is None:
        return load(text, None)
    try:
        return load(text, passphrase.encode())
    except TypeError:  # there is a passphrase, but the key needs none
        return load(text, None)


def _for_paramiko(key: object) -> paramiko.PKey:
    """The same key as paramiko wants it.

    Its own parser refuses good OpenSSH keys without a comment, about half of the ECDSA ones: it trips over
    those that need no padding. The PEM forms know no padding, and an ed25519 key always has some.
    """
    if isinstance(key, Ed25519PrivateKey):
        text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode("ascii")
        return paramiko.Ed25519Key.from_private_key(io.StringIO(text))
    if isinstance(key, (EllipticCurvePrivateKey, RSAPrivateKey)):
        form = PrivateFormat.TraditionalOpenSSL
        text = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode("ascii")
        kind = paramiko.RSAKey if isinstance(key, RSAPrivateKey) else paramiko.ECDSAKey
        return kind.from_private_key(io.StringIO(text))
    raise ValueError("not a kind of key that logs in")


def log_in(link: Link, key: paramiko.PKey | None) -> None:
    """Proves to the server who we are. Raises SftpError `sftp.auth` or `sftp.timeout`."""
    target, seconds = link.target, link.step_seconds()
    with link.stage(Stage.LOGIN, seconds):
        if key is not None:
            missing = link.transport.auth_publickey(target.username, key)
        else:
            missing = link.transport.auth_password(target.username, target.password or "", fallback=False)
        if missing:
            raise SftpError(
                f"{target.address} took the first factor and asks for a second one: {listed(missing)}",
                code="sftp.auth",
                hint="ask the district for an account without a second factor, as machines need",
            )


def _unusable(target: Target, fault: str, hint: str) -> SftpError:
    return SftpError(f"the private key for {target.address} {fault}", code="sftp.auth", hint=hint)
