"""SFTP, safe by construction: the only importer of paramiko.

    session = connect(Target(…))          own socket, key exchange, host key checked, then login
    session.list_files(path, pattern)     the roster files there
    session.download(path, file, to)      the whole file or nothing, with its SHA-256

Every server that we do not run is taken for hostile: each stage ends within its limit, memory is bounded,
and nothing is believed before it was counted. Only classes of reconciler.errors leave this package.
"""

from __future__ import annotations

from reconciler.sftp.errors import HostKeyError
from reconciler.sftp.session import Session, connect
from reconciler.sftp.target import Limits, Target

__all__ = ["HostKeyError", "Limits", "Session", "Target", "connect"]
