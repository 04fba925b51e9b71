"""A first look at a new district's server: its files, their headers, and its schools under a mapper.

Nothing is written down, and no database is asked: what is found goes into the file that `new` writes.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Protocol

from reconciler.engine.ports import FileSession
from reconciler.engine.schools import unlisted_notes
from reconciler.errors import HoldError, RosterError, SftpError
from reconciler.mapping.model import Mapper
from reconciler.roster.delta import RemoteFile, SisSchool
from reconciler.roster.packages.manifest import read_manifest
from reconciler.roster.packages.package import Package
from reconciler.roster.reading.archives import files_to_fetch, is_gzip, is_zip, open_delivery
from reconciler.roster.reading.reader import read_header
from reconciler.roster.reading.unpacking import ArchiveLimits, unpack_gzip, unpack_zip
from reconciler.roster.roster import Roster

PEEK_BYTES = 64 * 1024
"""Of a file that is looked at for its header only."""
MAX_FILES = 200
"""Files that are looked at; a folder with more of them is a mistake in the pattern."""
MAX_ARCHIVE = 1 << 30
"""Bytes of an archive that is fetched whole, for the headers within."""


_OF_ONE_FILE = ("sftp.path", "sftp.too-large")
"""Codes of what is wrong with a file, and not with the session."""


class PeekingSession(FileSession, Protocol):
    """A session that can also read the beginning of a file."""

    def peek(self, path: str, file: RemoteFile, limit: int) -> bytes: ...


def read_headers(
    session: PeekingSession, remote_path: str, listing: Sequence[RemoteFile], folder: Path
) -> dict[str, tuple[str, ...]]:
    """The columns of each listed file, and of each file in an archive; `folder` is for working in.

    A file that has no header, changes meanwhile or cannot be read is left out. Raises SftpError for a lost
    session.
    """
    headers: dict[str, tuple[str, ...]] = {}
    for number, file in enumerate(listing[:MAX_FILES]):
        place = folder / f"look-{number}"
        place.mkdir()
        try:
            for name, path in _beginnings(session, remote_path, file, place):
                with suppress(RosterError):
                    headers[name] = read_header(path, display=name).columns
        except (RosterError, HoldError):
            continue
        except SftpError as error:
            if error.code not in _OF_ONE_FILE:
                raise
    return headers


def _beginnings(
    session: PeekingSession, remote_path: str, file: RemoteFile, place: Path
) -> Iterator[tuple[str, Path]]:
    """The file, or the files in it, each by its name and where it can be read to the end of its header."""
    whole = place / "file"
    if not is_zip(file.name) and not is_gzip(file.name):
        whole.write_bytes(_whole_lines(session.peek(remote_path, file, PEEK_BYTES)))
        yield file.name, whole
    elif file.size <= MAX_ARCHIVE:
        session.download(remote_path, file, whole)
        if is_gzip(file.name):
            unpack_gzip(file.name, whole, place / "member", ArchiveLimits())
            yield file.name[:-3], place / "member"
        else:
            members = unpack_zip(file.name, whole, lambda _: True, place, ArchiveLimits())
            yield from ((m.name, m.path) for m in members if m.path)


def _whole_lines(data: bytes) -> bytes:
    """Without the line in whose middle the data ends, perhaps in the middle of a character."""
    if len(data) < PEEK_BYTES or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data[: len(data) // 2 * 2] if len(data) == PEEK_BYTES else data
    return data[: data.rfind(b"\n") + 1] or data


def read_schools(
    session: FileSession,
    remote_path: str,
    listing: Sequence[RemoteFile],
    mapper: Mapper,
    folder: Path,
    today: date,
) -> tuple[list[SisSchool], list[str]]:
    """The schools that the files name under a mapper, with their students, and notes on them.

    Raises as a sync would.
    """
    local: dict[str, Path] = {}
    for number, file in enumerate(files_to_fetch(mapper, listing)):
        local[file.name] = folder / f"download-{number}"
        session.download(remote_path, file, local[file.name])
    archives, scratch = folder / "archives", folder / "roster"
    archives.mkdir()
    scratch.mkdir()
    files = open_delivery(mapper, listing, local, archives).local()
    manifest = read_manifest(mapper, files, scratch)
    package = Package(manifest) if manifest else None
    with Roster(mapper, files, scratch, today=today, package=package) as roster:
        schools = roster.schools()
        return schools, unlisted_notes(roster.unlisted_schools(), schools)
