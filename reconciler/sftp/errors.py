"""The one place where exceptions of paramiko, sockets and the system become ours.

`explain` looks an exception's classes up in MEANINGS, most specific first; what a bare EOFError, OSError or
SSHException means depends on the stage it came in. A test holds the table to all that paramiko can raise.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import paramiko
from paramiko.auth_strategy import AuthFailure
from paramiko.hostkeys import InvalidHostKey
from paramiko.pkey import UnknownKeyType
from paramiko.sftp import SFTPError as GarbledAnswer
from paramiko.ssh_exception import (
    IncompatiblePeer,
    MessageOrderError,
    NoValidConnectionsError,
    PartialAuthentication,
    UnableToAuthenticate,
)

from reconciler.errors import SftpError
from reconciler.sftp.hostkey import HostKey, pinned_fingerprints
from reconciler.sftp.target import Target


class Stage(StrEnum):
    """How far a session had come; the words complete "while …"."""

    CONNECT = "connecting"
    HANDSHAKE = "agreeing on keys"
    LOGIN = "logging in"
    OPEN = "opening SFTP"
    LIST = "listing files"
    READ = "reading a file"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an exception means to a person: `says` follows the server's address."""

    code: str
    says: str
    hint: str = ""
    retryable: bool = False


class HostKeyError(SftpError):
    """The server's key is not one that we may trust; nothing secret was sent.

    `host_key_seen` is the key shown, as `type base64`, and `fingerprint_seen` its `SHA256:…`.
    """

    code = "sftp.host-key"

    def __init__(self, message: str, *, hint: str, key: HostKey) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.host_key_seen = str(key)
        self.fingerprint_seen = key.fingerprint


_LOGIN_HINT = "check user name and secret with the district; it is not tried again, since accounts lock"
_OLD = Meaning(
    "sftp.incompatible",
    "offers only algorithms that are no longer safe",
    "ask the district to enable ssh-ed25519 or rsa-sha2 host keys, SHA-2 key exchange and AES-GCM or AES-CTR",
)
_REFUSED_LOGIN = Meaning("sftp.auth", "refused the login", _LOGIN_HINT)
_UNUSED = Meaning(
    "sftp.unreachable",
    "could not be reached through the local SSH configuration",
    "report this: none is used",
)
_GARBLED = Meaning(
    "sftp.incompatible",
    "sent something that is not SFTP",
    "log in once with another SFTP client: a login script that prints text breaks the protocol",
)
_SLOW = Meaning("sftp.timeout", "did not answer in time", "try again; if it stays, ask the district", True)
_NO_HOST_KEY = Meaning("sftp.host-key", "shows a host key that is not the pinned one", "verify the key")
_BUSY = Meaning(
    "sftp.unreachable",
    "took the login but refuses a session",
    "too many sessions may be open; try again",
    True,
)
_CLOSED_EARLY = Meaning(
    "sftp.unreachable",
    "broke off before the login",
    "a firewall or a limit on connections may do this; ask the district to admit our address",
    True,
)
_CLOSED_LOGIN = Meaning(
    "sftp.auth", "ended the login without a verdict: the secret may have expired", _LOGIN_HINT
)
_LOST = Meaning("sftp.interrupted", "was lost", "try again; nothing of it was used", True)

MEANINGS: dict[type[BaseException], Meaning] = {
    socket.gaierror: Meaning(
        "sftp.unreachable",
        "cannot be found: no such host name",
        "check sftp.host in the district's file",
        True,
    ),
    ConnectionRefusedError: Meaning(
        "sftp.unreachable", "refused the connection", "check sftp.port, and that the server runs", True
    ),
    NoValidConnectionsError: Meaning("sftp.unreachable", "refused the connection", "check sftp.port", True),
    TimeoutError: _SLOW,
    IncompatiblePeer: _OLD,
    MessageOrderError: Meaning(
        "sftp.incompatible",
        "broke the order of the key exchange",
        "somebody may be altering the connection; tell the district",
    ),
    paramiko.BadHostKeyException: _NO_HOST_KEY,
    InvalidHostKey: _NO_HOST_KEY,
    paramiko.BadAuthenticationType: _REFUSED_LOGIN,
    PartialAuthentication: _REFUSED_LOGIN,
    UnableToAuthenticate: _REFUSED_LOGIN,
    AuthFailure: _REFUSED_LOGIN,
    paramiko.AuthenticationException: _REFUSED_LOGIN,
    paramiko.PasswordRequiredException: Meaning(
        "sftp.auth", "was not asked: the private key is encrypted", "add its passphrase under sftp"
    ),
    UnknownKeyType: _OLD,
    paramiko.ChannelException: _BUSY,
    GarbledAnswer: _GARBLED,
    UnicodeError: _GARBLED,
    paramiko.ProxyCommandFailure: _UNUSED,
    paramiko.ConfigParseError: _UNUSED,
    paramiko.CouldNotCanonicalize: _UNUSED,
    # What these mean is decided by the stage.
    paramiko.SSHException: _LOST,
    EOFError: _LOST,
    OSError: _LOST,
}

BY_STAGE: dict[Stage, Meaning] = {
    Stage.CONNECT: Meaning("sftp.unreachable", "cannot be reached", "check sftp.host and the network", True),
    Stage.HANDSHAKE: _CLOSED_EARLY,
    Stage.LOGIN: _CLOSED_LOGIN,
    Stage.OPEN: Meaning(
        "sftp.unreachable", "took the login but does not serve SFTP", "ask the district to allow SFTP", True
    ),
}


def explain(error: BaseException, target: Target, stage: Stage, *, timed_out: bool = False) -> SftpError:
    """The exception as ours; to be raised `from` it. `timed_out`: our watchdog cut the connection."""
    meaning = _SLOW if timed_out or _is_late(error) else _meaning(error, stage)
    message = f"{target.address} {meaning.says}{_details(error, target, meaning)}"
    if meaning in (_SLOW, _LOST, _GARBLED):
        message = f"{message} while {stage.value}"
    return SftpError(message, code=meaning.code, hint=meaning.hint, retryable=meaning.retryable)


def _meaning(error: BaseException, stage: Stage) -> Meaning:
    if stage is Stage.CONNECT and isinstance(error, UnicodeError):
        return MEANINGS[socket.gaierror]
    for kind in type(error).__mro__:
        if found := MEANINGS.get(kind):
            return BY_STAGE.get(stage, found) if found is _LOST else found
    return _GARBLED  # struct.error, IndexError, …: paramiko stumbled over what the server sent


def _is_late(error: BaseException) -> bool:
    # paramiko has no class for its own time limits, only these texts.
    return isinstance(error, paramiko.SSHException) and "timeout" in str(error).lower()


def _details(error: BaseException, target: Target, meaning: Meaning) -> str:
    if isinstance(error, IncompatiblePeer):
        return f" ({printable(str(error))})"
    if meaning is not _REFUSED_LOGIN:
        return ""
    how = "private key" if target.private_key else "password"
    details = f" of {printable(target.username)!r} with a {how}"
    offered = getattr(error, "allowed_types", None)
    return f"{details}; it offers {listed(offered)}" if offered else details


def untrusted(key: HostKey, target: Target) -> HostKeyError:
    """The refusal of a key that no pin names, or that has no pin to be compared with."""
    seen = f"{target.address} shows the host key {key.type} {key.fingerprint}"
    if not target.pins:
        return HostKeyError(
            f"{seen}, and the district's file pins none",
            hint=f"verify it with the district, then add under sftp: host_key: {key.fingerprint}",
            key=key,
        )
    return HostKeyError(
        f"{seen}, not the pinned {listed(pinned_fingerprints(target.pins), limit=10)}; no password was sent",
        hint="ask the district whether it changed its key; change the pin only when it confirms this one",
        key=key,
    )


def not_ssh(greeting: str, target: Target) -> SftpError:
    """The refusal of a server that greets with something else than SSH, such as a web server."""
    return SftpError(
        f"{target.address} does not speak SSH; it says {printable(greeting, limit=60)!r}",
        hint="check sftp.host and sftp.port in the district's file: another service answers there",
    )


def no_matching_files(target: Target, path: str, pattern: str, names: Sequence[str]) -> SftpError:
    """`sftp.no-files`: nothing in `path` matches. `names` are the files that are there."""
    there = f"{len(names)} other files are there ({listed(names)})" if names else "it holds no file at all"
    return SftpError(
        f"no file in {printable(path)} on {target.address} matches {printable(pattern)}: {there}",
        code="sftp.no-files",
        hint="check sftp.remote_path and sftp.file_pattern, or ask the district whether its export ran",
        retryable=True,
    )


def listed(values: Iterable[str], limit: int = 5) -> str:
    """The first few of some names, for a message."""
    names = [printable(value) for value in values]
    more = f", … {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def printable(text: str, limit: int = 80) -> str:
    """Text of a server made harmless for terminals and logs: one line, no control characters, not long."""
    clean = "".join(char if char.isprintable() else "?" for char in text[: limit + 1])
    return clean if len(clean) <= limit else clean[:limit] + "…"
