"""A listed file fetched whole: opened, checked, read ahead, counted, and compared with what was listed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

import paramiko

from reconciler.errors import HoldError, SftpError
from reconciler.roster.delta import RemoteFile
from reconciler.sftp.disk import save
from reconciler.sftp.errors import printable
from reconciler.sftp.folder import stat
from reconciler.sftp.listing import is_file
from reconciler.sftp.target import Target
from reconciler.sftp.wire import Client, Entry, ReadAhead, attributes_of, handle_of


class Download:
    """One file of one session. Raises as Session.download says, or what paramiko raises for a lost session.

    Size and time are taken from the open handle before and after, and from the path after: a file that is
    written to, replaced or taken away meanwhile is not used.
    """

    def __init__(self, client: Client, target: Target, folder: str, file: RemoteFile) -> None:
        self._client = client
        self._target = target
        self._path = posixpath.join(folder, file.name)
        self._file = file
        self.received = 0
        """The bytes of the file that came so far."""

    def fetch(self, to: Path) -> str:
        """Writes the file to `to` and returns its SHA-256 in hex."""
        self._check_size(self._file.size)
        remote = self._open()
        opened = attributes_of(remote.stat())
        self._check(opened)
        digest = save(self._bytes(remote, opened), to)
        remote.close()
        return digest

    def peek(self, limit: int) -> bytes:
        """The first bytes of the file, at most `limit`."""
        remote = self._open()
        self._check(attributes_of(remote.stat()))
        data = remote.read(min(limit, self._file.size))
        remote.close()
        return data[:limit]

    def _check_size(self, size: int) -> None:
        # Before anything is asked for: what a server claims decides how much we would ask for.
        limit = self._target.limits.max_bytes
        if size > limit:
            fault = f"claims {size} bytes; the limit is {limit}"
            raise self._error(fault, "sftp.too-large", "narrow sftp.file_pattern to the roster files")

    def _open(self) -> paramiko.SFTPFile:
        try:
            return self._client.open(self._path, "rb")
        except FileNotFoundError as error:
            raise self._changing("is gone since it was listed") from error
        except PermissionError as error:
            hint = "ask the district to let our account read the file"
            raise self._error("may not be read by our account", "sftp.path", hint) from error

    def _check(self, opened: Entry) -> None:
        if not is_file(opened):
            hint = "narrow sftp.file_pattern to the roster files"
            raise self._error("is not a regular file", "sftp.path", hint)
        if opened.size != self._file.size:
            raise self._changing("has another size than when it was listed")

    def _bytes(self, remote: paramiko.SFTPFile, opened: Entry) -> Iterator[memoryview]:
        """The file's bytes; its end is reached only when nothing moved, so before the file gets its name."""
        try:
            for data in ReadAhead(self._client, handle_of(remote), self._file.size):
                self.received += len(data)
                yield data
        except EOFError as error:
            self._check_unmoved(remote, opened)
            fault = f"was sent short of the {self._file.size} bytes that it claims to have"
            raise self._error(
                fault, "sftp.interrupted", "try again; nothing of it was used", retryable=True
            ) from error
        self._check_unmoved(remote, opened)

    def _check_unmoved(self, remote: paramiko.SFTPFile, opened: Entry) -> None:
        for now in (attributes_of(remote.stat()), stat(self._client, self._path)):
            if now is None or (now.size, now.modified) != (opened.size, opened.modified):
                raise self._changing("changed while it was read")

    def _changing(self, how: str) -> HoldError:
        return HoldError(
            f"{self._name()} {how}",
            code="sync.file-changing",
            hint="it is being uploaded; run again in a few minutes, or set sync.settle_minutes",
            retryable=True,
        )

    def _error(self, fault: str, code: str, hint: str, *, retryable: bool = False) -> SftpError:
        return SftpError(f"{self._name()} {fault}", code=code, hint=hint, retryable=retryable)

    def _name(self) -> str:
        return f"{printable(self._file.name)} on {self._target.address}"
