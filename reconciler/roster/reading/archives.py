"""From the files that a district delivers to those that its mapper reads: archives are opened on the way.

A `.gz` file counts as the file that it holds, `students.csv.gz` as `students.csv`. The files in a zip count
as if they lay beside it, with the zip's time. Which zip is opened is known from the listing alone, so that
an unchanged listing is seen without a download.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from reconciler.errors import RosterError
from reconciler.mapping.filenames import may_be_meant
from reconciler.mapping.model import Mapper
from reconciler.roster.delta import RemoteFile
from reconciler.roster.reading.series import choice_notices
from reconciler.roster.reading.tables import choose_files
from reconciler.roster.reading.unpacking import ArchiveLimits, unpack_gzip, unpack_zip

_DATED = re.compile(r"(20[0-9]{2})[-_.]?([01][0-9])[-_.]?([0-3][0-9])([-_.T]?[0-9]{2,6})?(?![0-9])")
"""A day, year first, and perhaps a time of day after it: what the names of a nightly series differ in."""

_LIMITS = ArchiveLimits()
_Found = list[tuple[RemoteFile, Path | None]]
"""Files as the mapper sees them, and where each lies; None for one that is not read."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What was delivered, with archives opened."""

    chosen: Mapping[str, Sequence[RemoteFile]]
    """For each file of the mapper, the files that it is read from."""
    paths: Mapping[str, Path]
    """Where each of them lies, by its name."""
    unpacked: tuple[RemoteFile, ...] = ()
    """Those that came out of archives, with their own sizes and the archive's time."""
    notices: tuple[str, ...] = ()

    def local(self) -> dict[str, list[tuple[str, Path]]]:
        """For each file of the mapper, pairs of (name, path): what a Roster reads."""
        return {name: [(f.name, self.paths[f.name]) for f in found] for name, found in self.chosen.items()}


def is_zip(name: str) -> bool:
    return name.casefold().endswith(".zip")


def is_gzip(name: str) -> bool:
    return name.casefold().endswith(".gz")


def files_to_fetch(mapper: Mapper, listing: Sequence[RemoteFile]) -> list[RemoteFile]:
    """The listed files to download, by name: those that the mapper reads, or may find its files in.

    Raises RosterError sftp.no-files and csv.ambiguous.
    """
    zips = _zips(listing)
    plain = [f for f in listing if not is_zip(f.name)]
    _refuse_twice(mapper, [_as_unpacked(f) for f in plain])
    others = {_as_unpacked(f): f for f in plain}
    if zips:
        found = {f for f in others if _is_read(mapper, f.name)}
    else:
        found = {f for files in choose_files(mapper, list(others)).values() for f in files}
    return sorted({*zips, *(others[f] for f in found)}, key=lambda f: f.name)


def open_delivery(
    mapper: Mapper,
    listing: Sequence[RemoteFile],
    fetched: Mapping[str, Path],
    folder: Path,
    limits: ArchiveLimits = _LIMITS,
) -> Contents:
    """Open the archives among the `fetched` files, by name, into `folder`, and choose from all that is there.

    Raises RosterError csv.archive, sftp.no-files and csv.ambiguous.
    """
    opened = [
        (file, _opened(mapper, file, fetched.get(file.name), folder / f"unpacked-{number}", limits))
        for number, file in enumerate(listing)
    ]
    inner = [pair for _, pairs in opened for pair in pairs]
    _refuse_twice(mapper, [file for file, _ in inner])
    packed = [(archive, pairs) for archive, pairs in opened if is_zip(archive.name) or is_gzip(archive.name)]
    return Contents(
        chosen=choose_files(mapper, [file for file, _ in inner]),
        paths={file.name: path for file, path in inner if path},
        unpacked=tuple(file for _, pairs in packed for file, path in pairs if path),
        notices=(
            *filter(None, (_notice(archive, pairs) for archive, pairs in packed)),
            *choice_notices(mapper, [file for file, _ in inner]),
        ),
    )


def _opened(
    mapper: Mapper, file: RemoteFile, local: Path | None, folder: Path, limits: ArchiveLimits
) -> _Found:
    """The files in an archive, unpacked into `folder`; any other file by itself."""
    if is_zip(file.name):
        return _opened_zip(mapper, file, local, folder, limits) if local else []
    if not is_gzip(file.name) or local is None:
        return [(_as_unpacked(file), local)]
    folder.mkdir(exist_ok=True)
    size = unpack_gzip(file.name, local, folder / "member-0", limits)
    return [(replace(_as_unpacked(file), size=size), folder / "member-0")]


def _opened_zip(mapper: Mapper, file: RemoteFile, local: Path, folder: Path, limits: ArchiveLimits) -> _Found:
    folder.mkdir(exist_ok=True)
    members = unpack_zip(file.name, local, lambda name: _is_read(mapper, name), folder, limits)
    return [(RemoteFile(m.name, m.size, file.modified), m.path) for m in members]


def _notice(archive: RemoteFile, found: _Found) -> str:
    names = sorted(file.name for file, path in found if path)
    return f"{', '.join(names)} {'come' if len(names) > 1 else 'comes'} from {archive.name}" if names else ""


def _as_unpacked(file: RemoteFile) -> RemoteFile:
    return replace(file, name=file.name[:-3]) if is_gzip(file.name) else file


def is_read(mapper: Mapper, file: RemoteFile) -> bool:
    """Whether a file, once unpacked, has a name that the mapper reads."""
    return _is_read(mapper, _as_unpacked(file).name)


def _is_read(mapper: Mapper, name: str) -> bool:
    return any(may_be_meant(spec, name) for spec in mapper.files.values())


def _refuse_twice(mapper: Mapper, available: Sequence[RemoteFile]) -> None:
    """Raise where one name is there twice, packed and as it is: which of them is the newer one?"""
    twice = {n: count for n, count in Counter(f.name for f in available).items() if count > 1}
    for name in sorted(n for n in twice if _is_read(mapper, n)):
        raise RosterError(
            f"{name} is there {twice[name]} times, by itself or in an archive",
            code="csv.ambiguous",
            hint="narrow sftp.file_pattern to the files that count, or to the archive; nothing was changed",
        )


def _zips(listing: Sequence[RemoteFile]) -> list[RemoteFile]:
    """The zips to open. Of a nightly series, whose names differ in a date only, the newest by that date.

    Raises RosterError csv.ambiguous for several zips that are no such series.
    """
    zips = [f for f in listing if is_zip(f.name)]
    series = {_series(f.name) for f in zips}
    if len(zips) < 2:
        return zips
    days = sorted(zips, key=lambda f: _day(f.name))
    if len(series) == 1 and _day(days[-2].name) < _day(days[-1].name):
        return days[-1:]
    raise RosterError(
        f"{len(zips)} zip archives match: {', '.join(sorted(f.name for f in zips)[:5])}",
        code="csv.ambiguous",
        hint="narrow sftp.file_pattern to one of them; of a series whose names differ only in a date "
        "(20270131 or 2027-01-31), the newest is read",
    )


def _series(name: str) -> str:
    """A zip's name without its date; the whole name where it has none."""
    return _DATED.sub("\0", name.casefold(), count=1) if _day(name) else name


def _day(name: str) -> str:
    """The date and time in a name, as text that sorts by time; empty where there is none."""
    found = _DATED.search(name)
    try:
        day = date(*map(int, found.groups()[:3])).isoformat() if found else ""
    except ValueError:
        return ""
    return day + re.sub("[^0-9]", "", found[4] or "") if found else ""
