"""Which entries of a folder are roster files. Pure: entries in, values out."""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from reconciler.roster.delta import RemoteFile
from reconciler.sftp.wire import Entry

UNFINISHED = (".tmp", ".part", ".filepart")
"""Endings that uploading programs give to a file until it is whole."""

MAX_NAME = 255
_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # control, invisible and line-breaking characters


def roster_files(
    entries: Iterable[Entry], pattern: str, look_closer: Callable[[str], Entry | None]
) -> list[RemoteFile]:
    """The regular files whose name matches, by name.

    `look_closer` follows an entry that is a symbolic link, or of which the listing does not say enough.
    A file without a time has `modified` 0.
    """
    found: dict[str, RemoteFile] = {}
    for entry in entries:
        name = readable_name(entry.name)
        if name is None or not matches(name, pattern):
            continue
        closer = look_closer(name) if _is_vague(entry) else entry
        if closer is not None and is_file(closer) and closer.size is not None:
            found[name] = RemoteFile(name, closer.size, float(closer.modified or 0))
    return [found[name] for name in sorted(found)]


def readable_name(raw: bytes) -> str | None:
    """A file's name as text; None for one that is not UTF-8, leaves its folder or hides characters."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not name or len(name) > MAX_NAME or "/" in name or name in (".", ".."):
        return None
    return None if any(unicodedata.category(char) in _UNSAFE for char in name) else name


def matches(name: str, pattern: str) -> bool:
    """Shell glob, ignoring case. Hidden and unfinished files only where the pattern says so itself."""
    name, pattern = name.casefold(), pattern.casefold()
    if name.startswith(".") and not pattern.startswith("."):
        return False
    if any(name.endswith(ending) and not pattern.endswith(ending) for ending in UNFINISHED):
        return False
    return fnmatchcase(name, pattern)


def is_file(entry: Entry) -> bool:
    """A regular file, or one of a server that does not tell."""
    return not entry.mode or stat.S_IFMT(entry.mode) in (0, stat.S_IFREG)


def is_folder(entry: Entry) -> bool:
    return entry.mode is not None and stat.S_ISDIR(entry.mode)


def _is_vague(entry: Entry) -> bool:
    unknown = not entry.mode or entry.size is None or entry.modified is None
    return unknown or stat.S_ISLNK(entry.mode or 0)
