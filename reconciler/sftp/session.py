"""A session on a district's server: connected, its key checked, logged in."""

from __future__ import annotations

import posixpath
from pathlib import Path
from types import TracebackType
from typing import Self

from paramiko import PKey

from reconciler.errors import SftpError
from reconciler.roster.delta import RemoteFile
from reconciler.sftp import listing
from reconciler.sftp.download import Download
from reconciler.sftp.errors import Stage, no_matching_files
from reconciler.sftp.folder import Folder, stat
from reconciler.sftp.link import Link, trusted_link
from reconciler.sftp.login import load_key, log_in
from reconciler.sftp.quiet import hush
from reconciler.sftp.stream import Lumps, Nowhere
from reconciler.sftp.target import Target
from reconciler.sftp.wire import Client, Entry


def connect(target: Target) -> Session:
    """Opens a session; the password or key is used only after the host key was found good.

    Raises HostKeyError, or SftpError with `sftp.unreachable`, `.timeout`, `.auth` or `.incompatible`.
    """
    hush()
    key = load_key(target)
    link = trusted_link(target)
    try:
        _log_in_once(link, key)
        return Session(link, _open_sftp(link))
    except BaseException:
        link.close()
        raise


def _log_in_once(link: Link, key: PKey | None) -> None:
    """A login that did not come to its end may count as a failed one, and failed ones lock accounts."""
    link.target.before_login()
    try:
        log_in(link, key)
    except SftpError as error:
        error.at_login, error.retryable = True, False
        raise


def _open_sftp(link: Link) -> Client:
    with link.stage(Stage.OPEN, link.step_seconds()):
        channel = link.transport.open_session()
        channel.settimeout(link.target.limits.step_seconds)  # before the client: it reads at once
        channel.in_buffer = lumps = Lumps()  # type: ignore[assignment]  # nothing arrives before the subsystem is asked for
        link.discard = lumps.discard
        channel.in_stderr_buffer = Nowhere()
        channel.invoke_subsystem("sftp")
        return Client(channel)


class Session:
    """Lists and downloads. For one thread at a time; `close` it, or use it in a `with`.

    Every method may raise SftpError `sftp.timeout` or `sftp.interrupted`; the session is of no use then.
    """

    def __init__(self, link: Link, client: Client) -> None:
        self._link = link
        self._client = client
        self._target = link.target

    @property
    def host_key(self) -> str:
        """The key that the server showed, as `type base64`."""
        return str(self._link.host_key)

    @property
    def fingerprint(self) -> str:
        """The same as `SHA256:…`."""
        return self._link.host_key.fingerprint

    @property
    def secret_slot(self) -> str:
        """Which of two secrets has logged in, `current` or `next`; empty where there is but one."""
        return self._target.secret_slot

    @property
    def note(self) -> str:
        """What a person should know of that; mostly empty."""
        return self._target.note

    def list_files(self, path: str, pattern: str) -> list[RemoteFile]:
        """The regular files of a folder that match the pattern, by name; none is no error.

        Names that are not UTF-8, leave the folder or carry control characters are passed over. Raises
        SftpError `sftp.path` for a folder that is not there, is none or may not be read.
        """

        def follow(name: str) -> Entry | None:
            return stat(self._client, posixpath.join(path, name))

        with self._link.stage(Stage.LIST, self._target.limits.session_seconds):
            return listing.roster_files(self._folder(path).entries(), pattern, follow)

    def file_names(self, path: str) -> list[str]:
        """The names of all regular files of a folder that can be shown, sorted. SftpError `sftp.path`."""
        with self._link.stage(Stage.LIST, self._target.limits.session_seconds):
            files = filter(listing.is_file, self._folder(path).entries())
            return sorted(filter(None, (listing.readable_name(entry.name) for entry in files)))

    def no_files(self, path: str, pattern: str) -> SftpError:
        """`sftp.no-files` for the caller to raise: what is there instead of the files looked for."""
        return no_matching_files(self._target, path, pattern, self.file_names(path))

    def download(self, path: str, file: RemoteFile, to: Path) -> str:
        """Fetches the whole of a listed file and returns its SHA-256 in hex; `to` is replaced at the end.

        Raises HoldError `sync.file-changing` when the file is no longer as listed or changes meanwhile,
        SftpError `sftp.interrupted` when the server sends less than it claims, `sftp.too-large`,
        `sftp.path` for what is no regular file, and `sftp.local-file`.
        """
        limits, download = self._target.limits, Download(self._client, self._target, path, file)
        with self._link.stage(Stage.READ, limits.transfer_seconds, lambda: limits.earned(download.received)):
            return download.fetch(to)

    def peek(self, path: str, file: RemoteFile, limit: int) -> bytes:
        """The first bytes of a listed file, at most `limit`: enough to see its header.

        Raises HoldError and SftpError as `download` does.
        """
        with self._link.stage(Stage.READ, self._target.limits.transfer_seconds):
            return Download(self._client, self._target, path, file).peek(limit)

    def close(self) -> None:
        """Ends the session; may be called twice."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _folder(self, path: str) -> Folder:
        return Folder(self._client, self._target, path)
