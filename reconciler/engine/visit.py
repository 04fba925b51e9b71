"""One visit to a district's server: connect once, list once, download each file once."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconciler.config.district import NEXT
from reconciler.engine.approving import Release
from reconciler.engine.context import Context
from reconciler.engine.desks import waiting
from reconciler.engine.ports import FileSession, Lease
from reconciler.engine.sequence import Pending, refuse_lost, seen, written
from reconciler.errors import HoldError
from reconciler.mapping.model import Mapper
from reconciler.planning.connection import Connection, Observed, spec_digest
from reconciler.roster.delta import Reject, RemoteFile, Snapshot
from reconciler.roster.packages.manifest import Manifest, Mode, read_manifest
from reconciler.roster.packages.package import Package
from reconciler.roster.reading.archives import Contents, files_to_fetch, open_delivery
from reconciler.roster.reading.tables import MANIFEST
from reconciler.roster.roster import Roster

_RACY_SECONDS = 3.0
"""A file this young may change again and keep its size and its time, which many servers give in seconds."""


class Visit:
    """The steps of one run share a visit, so that test, initialize and sync see the same files."""

    def __init__(
        self, context: Context, connection: Connection, host_key_seen: str, previous: Snapshot, folder: Path,
        secret_slot: str = "",
    ):  # fmt: skip
        self._context = context
        self._connection = connection
        self.host_key_seen = host_key_seen
        """What this server showed at its first use; empty where that is still to come, or it is pinned."""
        self._folder = folder
        self.previous = previous
        """Which files the stored rows came from."""
        self.waived = connection.district.id in context.allow_removals
        """The limits of this district are waived in this run."""
        self.release: Release | None = None
        """The approval in git that let its rows through, where one was needed."""
        self.pending = previous.pending
        """Which files of the district's packages were seen and never written."""
        self._lease: Lease | None = None
        """None: nothing is written down."""
        self._secret_slot = secret_slot
        """Which of two secrets this server is known to take; empty: not known, or there is but one."""
        self.notes: list[str] = []
        """What a person should know of the login."""
        self._package: Package | None = None
        self._modes: Mapping[str, Mode] | None = None
        """What the files are; None before they were looked at."""
        self._roster: Roster | None = None
        self._session: FileSession | None = None
        self._listing: list[RemoteFile] | None = None
        self._listed_at = 0.0
        self._files: list[RemoteFile] | None = None
        self._contents: Contents | None = None
        self._local: dict[str, Path] = {}
        self.sha256: dict[str, str] = {}
        """The digest of each file that was downloaded."""

    @classmethod
    def of(cls, context: Context, connection: Connection, observed: Observed | None, folder: Path) -> Visit:
        """A visit that goes on from what is on record of the district."""
        seen = observed.host_key_seen if observed else ""
        if observed and _server(observed.connection) != _server(connection):
            seen = ""
        # Inactive rows come back only through a full sync: what was read last does not count as known.
        known = not (observed and observed.deactivated)
        previous = context.store.snapshot(connection.district.id) if known else Snapshot()
        slot = observed.slot_for(connection) if observed else ""
        return cls(context, connection, seen, previous, folder, slot)

    @property
    def district(self) -> str:
        """The district's id."""
        return self._connection.district.id

    def write_under(self, lease: Lease) -> None:
        """From here on, write down what is seen, that which was seen already first. Raises LockError."""
        self._lease = lease
        if self.pending != self.previous.pending:
            self._context.store.keep_pending(lease, self.pending)

    def keep_rejects(self, rejects: Sequence[Reject]) -> str:
        """Write the rows down that were not taken; returns the hint that says where to see them."""
        if self._lease is None:
            return "nothing was written; `reconciler rejects` lists them once it was tried with `reconcile`"
        self._context.store.keep_rejects(self._lease, rejects)
        return f"`reconciler rejects {self.district}` lists them; nothing was written"

    def close(self) -> None:
        """Leave the server and forget what was read; the downloaded files stay in the folder."""
        self._leave()
        if self._roster:
            self._roster.close()
            self._roster = None

    def _leave(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    @property
    def mapper(self) -> Mapper:
        """The district's mapper. Raises MapperError."""
        return self._context.mapper(self._connection.district.mapper)

    def session(self) -> FileSession:
        """The session, opened at first use. Raises SftpError and SecretError."""
        if self._session is None:
            self._session = self._context.source.open(self._connection, self.host_key_seen, self._secret_slot)
            self._note_login(self._session)
        return self._session

    def _note_login(self, session: FileSession) -> None:
        """A new secret that the server has taken is on record at once: the old one is not tried again."""
        if session.note:
            self.notes.append(session.note)
        if self._lease and session.secret_slot == NEXT != self._secret_slot:
            self._context.store.keep_secret_slot(self._lease, NEXT)
            self._secret_slot = NEXT

    def listing(self) -> list[RemoteFile]:
        """The files that match the district's pattern. Raises SftpError sftp.no-files where none does."""
        if self._listing is None:
            sftp = self._connection.district.sftp
            self._listing = self.session().list_files(sftp.remote_path, sftp.file_pattern)
            self._listed_at = self._context.now().timestamp()
            if not self._listing:
                raise self.session().no_files(sftp.remote_path, sftp.file_pattern)
        return self._listing

    def files(self) -> list[RemoteFile]:
        """The files on the server to download, by name: those that the mapper reads, and archives."""
        if self._files is None:
            self._files = files_to_fetch(self.mapper, self.listing())
        return self._files

    def refuse_unsettled(self, now: datetime) -> None:
        """Raise HoldError sync.file-changing while a file is younger than the district's settling time."""
        minutes = self._connection.district.sync.settle_minutes
        for file in self.files():
            age = (now.timestamp() - file.modified) / 60
            if minutes and age < minutes:
                raise HoldError(
                    f"{file.name} was written {max(age, 0):.1f} minutes ago; until {minutes:g} minutes "
                    f"old it counts as still being uploaded",
                    code="sync.file-changing",
                    hint="nothing was read; the next sync after that takes it",
                )

    def refuse_moving(self) -> None:
        """Raise HoldError sync.file-changing where a file that was just written is written to still.

        One so young is looked at again when it is a little older: an upload that goes on shows in its size or
        its time by then.
        """
        youngest = max((f.modified for f in self.files()), default=0.0)
        wait = min(youngest + _RACY_SECONDS - self._listed_at, _RACY_SECONDS)
        if wait <= 0:
            return
        with waiting():
            time.sleep(wait)
        before, self._listing, self._files = self.files(), None, None
        if self.files() != before:
            raise HoldError(
                "the files changed within a few seconds of looking at them",
                code="sync.file-changing",
                hint="they are being uploaded; run again in a few minutes, or set sync.settle_minutes",
                retryable=True,
            )

    @property
    def settled(self) -> bool:
        """Whether a later change of any file must show in its size or time; a server may give no time (0)."""
        return all(f.modified and self._listed_at - f.modified > _RACY_SECONDS for f in self.files())

    def download(self) -> Mapping[str, Path]:
        """Every file of `files`, as local files; then the server is left alone.

        Raises SftpError and HoldError.
        """
        for number, file in enumerate(self.files()):
            if file.name not in self._local:
                path = self._folder / f"download-{number}"
                remote = self._connection.district.sftp.remote_path
                self.sha256[file.name] = self.session().download(remote, file, path)
                self._local[file.name] = path
        self._leave()
        return self._local

    def contents(self) -> Contents:
        """The downloaded files with archives opened. Raises as `download`, and RosterError csv.archive."""
        if self._contents is None:
            folder = self._folder / "archives"
            folder.mkdir(exist_ok=True)
            self._contents = open_delivery(self.mapper, self.listing(), self.download(), folder)
            for file in self._contents.unpacked:
                with self._contents.paths[file.name].open("rb") as member:
                    self.sha256[file.name] = hashlib.file_digest(member, "sha256").hexdigest()
        return self._contents

    def roster(self) -> Roster:
        """The downloaded files, read under the district's mapper; read once, however often it is asked for.

        Raises RosterError and MapperError for files that cannot be taken as a whole, a column that was
        there at the last sync and is gone among them.
        """
        if self._roster is None:
            known = {} if self.waived else self.previous.columns
            package, today = self.package(), self._context.now().date()
            self._roster = Roster(
                self.mapper,
                self.contents().local(),
                self._scratch(),
                known_columns=known,
                today=today,
                package=package,
            )
        return self._roster

    def package(self) -> Package | None:
        """What the manifest among the files says, on record as seen; None where there is no manifest.

        Raises RosterError csv.manifest where it cannot be followed, or an earlier package was lost.
        """
        if self._modes is None and MANIFEST in self.mapper.files:
            manifest = read_manifest(self.mapper, self.contents().local(), self._scratch())
            # Without a manifest every file is bulk.
            self._see(manifest or Manifest({}))
            if manifest:
                kept = self._context.store.kept_files(self._connection.district.id)
                self._package = Package(manifest, kept, self.waived)
            self._modes = manifest.modes if manifest else {}
        return self._package

    def _see(self, manifest: Manifest) -> None:
        """Put the package on record before anything is made of it: from here on it can be lost."""
        digests = self._digests(self.sha256)
        after = seen(self.pending, manifest.modes, digests, self._digests(self.previous.sha256))
        if self._lease and after != self.pending:
            self._context.store.keep_pending(self._lease, after)
        waiting, self.pending = self.pending, after
        if not self.waived:
            refuse_lost(waiting, manifest.modes, digests)

    def pending_after(self) -> Pending:
        """What still waits to be applied when these files are written."""
        if self.waived:
            return {}
        return written(self.pending, self._modes or {}, self._digests(self.sha256))

    def _digests(self, sha256: Mapping[str, str]) -> dict[str, str]:
        """For each file of the mapper one digest, of all the files that it is read from."""
        found = {
            name: " ".join(sha256.get(f.name, "") for f in files)
            for name, files in self.contents().chosen.items()
            if files and name != MANIFEST
        }
        return {name: digest for name, digest in found.items() if digest.strip()}

    def _scratch(self) -> Path:
        scratch = self._folder / "roster"
        scratch.mkdir(exist_ok=True)
        return scratch

    @property
    def spec_digest(self) -> str:
        """What decides the rows beside the files: where equal, equal files give equal rows."""
        return spec_digest(self._connection)


def _server(connection: Connection) -> tuple[str, int]:
    return connection.district.sftp.host, connection.district.sftp.port
