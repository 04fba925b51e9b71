"""A folder on the server: its entries, and what to say when there are none to be had."""

from __future__ import annotations

import contextlib
from itertools import islice

import paramiko

from reconciler.errors import SftpError
from reconciler.sftp import listing
from reconciler.sftp.errors import listed, printable
from reconciler.sftp.target import Target
from reconciler.sftp.wire import Entry, attributes_of, read_folder


class Folder:
    """One folder of a session. Raises SftpError `sftp.path`, or what paramiko raises for a lost session."""

    def __init__(self, client: paramiko.SFTPClient, target: Target, path: str) -> None:
        self._client = client
        self._target = target
        self._path = path

    def entries(self) -> list[Entry]:
        """Every entry, up to the limit on names."""
        limit = self._target.limits.max_names
        try:
            entries = list(islice(read_folder(self._client, self._path), limit + 1))
        except OSError as error:
            if is_lost(self._client, error):
                raise
            raise self._unreadable(error) from error
        if len(entries) > limit:
            raise self._error(f"holds more than {limit} entries", "use a folder of its own for the roster")
        return entries

    def _unreadable(self, error: OSError) -> SftpError:
        hint = f"set sftp.remote_path to the folder of the roster files{self._at_login()}"
        return self._error(self._fault(error), hint)

    def _fault(self, error: OSError) -> str:
        if isinstance(error, PermissionError):
            return "may not be read by our account"
        there = stat(self._client, self._path)
        if there is not None and not listing.is_folder(there):
            return "is not a folder"
        return "does not exist" if isinstance(error, FileNotFoundError) else "cannot be listed"

    def _at_login(self) -> str:
        """What is found where the login leads to, as far as the server tells."""
        with contextlib.suppress(OSError):
            start = printable(self._client.normalize("."))
            entries = islice(read_folder(self._client, "."), 100)
            holds = listed(sorted(filter(None, map(_shown, entries)))) or "nothing"
            return f"; our account starts in {start}, which holds {holds}"
        return ""

    def _error(self, fault: str, hint: str) -> SftpError:
        place = f"{printable(self._path)} on {self._target.address}"
        return SftpError(f"{place} {fault}", code="sftp.path", hint=hint)


def stat(client: paramiko.SFTPClient, path: str) -> Entry | None:
    """What a path leads to, symbolic links followed; None where it leads nowhere that we may see."""
    try:
        return attributes_of(client.stat(path))
    except OSError as error:
        if is_lost(client, error):
            raise
        return None


def is_lost(client: paramiko.SFTPClient, error: OSError) -> bool:
    """Whether the error is the connection's, not the server's answer: paramiko raises OSError for both."""
    channel = client.get_channel()
    return isinstance(error, (TimeoutError, ConnectionError)) or channel is None or channel.closed


def _shown(entry: Entry) -> str | None:
    name = listing.readable_name(entry.name)
    return f"{name}/" if name and listing.is_folder(entry) else name
