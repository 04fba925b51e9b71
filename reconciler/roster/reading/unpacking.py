"""Takes files out of zip and gz archives, and believes nothing that an archive says of itself.

Bytes are counted as they come out; no name of a member ever becomes a path; the folder of a zip is read only
where it is of a decent size. Whatever is wrong with an archive, nothing of it is taken.
"""

from __future__ import annotations

import gzip
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from reconciler.errors import RosterError

_CHUNK = 1 << 20
_MIB = 1 << 20
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, invisible and line-breaking characters
_MAX_NAME = 255
"""Characters of a name, as of a name on a server: no disk takes longer ones."""
_ENCRYPTED = 0x1
"""Bit of a member's flags."""
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip
"""What zipfile and gzip raise for bytes that are not what they should be (NotImplementedError among it)."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What one archive may cost us. A roster of five million rows stays well below each of them."""

    max_bytes: int = 4096 * _MIB
    """Of all files taken from one archive, unpacked."""
    max_ratio: int = 200
    """Unpacked bytes for one packed byte; CSV files come to about ten."""
    ratio_counts_from: int = 10 * _MIB
    """Unpacked bytes below which no ratio is too high."""
    max_members: int = 1000
    max_directory: int = 8 * _MIB
    """Bytes of a zip's list of members, and of any single read."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive. `path` is where it lies now; None for one that was not asked for."""

    name: str
    """Without its folder."""
    size: int
    path: Path | None


def unpack_zip(
    display: str, path: Path, wanted: Callable[[str], bool], folder: Path, limits: ArchiveLimits
) -> list[Member]:
    """The members of a zip, those whose name is `wanted` unpacked into `folder`.

    Members lie at the root or in one folder; hidden ones are passed over. Raises RosterError csv.archive for
    a zip that is damaged, cut, encrypted or packed in another way than DEFLATE; for one with names that leave
    their folder or stand twice, with links or further archives; and for one that breaks a limit.
    """
    archive = _Archive(display, path, limits)
    try:
        with _Wary(path, limits.max_directory) as file, zipfile.ZipFile(file) as opened:
            return archive.unpacked(opened, wanted, folder)
    except _DAMAGE as error:
        raise archive.refused("is no whole zip archive") from error


def unpack_gzip(display: str, path: Path, to: Path, limits: ArchiveLimits) -> int:
    """Unpack a .gz file to `to`; returns its size. Raises RosterError csv.archive as `unpack_zip` does."""
    archive = _Archive(display, path, limits)
    if not path.stat().st_size:  # which gzip takes for an archive of nothing
        raise archive.refused("is empty")
    return archive.save(archive.chunks(lambda: gzip.open(path, "rb"), ""), to)


class _Archive:
    """One archive being unpacked, and the count of what came out of it."""

    def __init__(self, display: str, path: Path, limits: ArchiveLimits):
        self._display = display
        self._limits = limits
        self._packed = path.stat().st_size
        self._out = 0

    def refused(self, fault: str) -> RosterError:
        return RosterError(
            f"{self._display} {fault}",
            code="csv.archive",
            hint="nothing was changed; ask the district for a plain zip of CSV files, or narrow "
            "sftp.file_pattern if this is no roster",
        )

    def unpacked(self, opened: zipfile.ZipFile, wanted: Callable[[str], bool], folder: Path) -> list[Member]:
        infos = opened.infolist()
        if len(infos) > self._limits.max_members:
            raise self.refused(f"holds {len(infos)} files; the limit is {self._limits.max_members}")
        members = list(self._visible(infos))
        taken = [(name, info) for name, info in members if wanted(name)]
        self._refuse_twice([name for name, _ in taken])
        found = []
        for number, (name, info) in enumerate(taken):
            self._refuse_unreadable(name, info)
            path = folder / f"member-{number}"
            size = self.save(self._member(opened, name, info), path)
            found.append(Member(name, size, path))
        return found + [Member(name, info.file_size, None) for name, info in members if not wanted(name)]

    def _member(self, opened: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> Iterator[bytes]:
        return self.chunks(lambda: opened.open(info), f": {name}")

    def _visible(self, infos: Iterable[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        """The members that are files and not hidden, by their names without a folder."""
        for info in infos:
            if _is_hostile(info.orig_filename):
                raise self.refused(f"holds a file with the name {info.orig_filename[:100]!r}")
            *folders, name = info.filename.split("/")
            if not name or name.startswith(".") or "__MACOSX" in folders:
                continue
            if name.casefold().endswith((".zip", ".gz")):
                raise self.refused(f"holds another archive, {name}")
            yield name, info

    def _refuse_twice(self, names: list[str]) -> None:
        twice = sorted(n for n in set(names) if names.count(n) > 1)
        if twice:
            raise self.refused(f"holds {twice[0]} {names.count(twice[0])} times")

    def _refuse_unreadable(self, name: str, info: zipfile.ZipInfo) -> None:
        if info.filename.count("/") > 1:
            raise self.refused(f"holds {name} more than one folder deep")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise self.refused(f"holds {name} as a symbolic link")
        if info.flag_bits & _ENCRYPTED:
            raise self.refused(f"is encrypted: {name} needs a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.refused(f"holds {name} packed in another way than DEFLATE")

    def chunks(self, opening: Callable[[], IO[bytes] | gzip.GzipFile], where: str) -> Iterator[bytes]:
        """The unpacked bytes. A checksum that does not fit shows at their end."""
        try:
            with opening() as source:
                while chunk := source.read(_CHUNK):
                    yield chunk
        except _DAMAGE as error:
            raise self.refused(f"is damaged or cut{where}") from error

    def save(self, chunks: Iterator[bytes], to: Path) -> int:
        before = self._out
        with to.open("wb") as file:
            for chunk in chunks:
                self._count(len(chunk))
                file.write(chunk)
        return self._out - before

    def _count(self, size: int) -> None:
        self._out += size
        limits = self._limits
        if self._out > limits.max_bytes:
            raise self.refused(f"unpacks to more than {limits.max_bytes:,} bytes")
        if self._out > max(limits.ratio_counts_from, limits.max_ratio * self._packed):
            raise self.refused(f"unpacks to more than {limits.max_ratio} times its size")


def _is_hostile(name: str) -> bool:
    """Whether a member's name leaves its folder, could be taken for another one, or is too long to be one."""
    parts = name.split("/")
    drive_or_back = re.match(r"[A-Za-z]:|/", name) or "\\" in name or ".." in parts
    return (
        bool(drive_or_back)
        or max(map(len, parts)) > _MAX_NAME
        or any(unicodedata.category(char) in _UNSAFE for char in name)
    )


class _Wary(io.FileIO):
    """A file that refuses to be read in one gulp, which is how zipfile reads a zip's list of members."""

    def __init__(self, path: Path, most: int):
        super().__init__(path, "rb")
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        here = self.tell()
        rest = self.seek(0, io.SEEK_END) - here
        self.seek(here)
        asked = rest if size is None or size < 0 else min(size, rest)
        if asked > self._most:
            raise zipfile.BadZipFile("its list of members is too long")
        return super().read(max(asked, 0)) or b""
