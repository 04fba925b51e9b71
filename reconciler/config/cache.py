"""Verdicts of `validate` that a user's own machine remembers, in a folder that nobody else may write to.

It is never inside the repository: a pull request must not be able to bring its own verdict along. Whatever
is not exactly as it was written counts as nothing, and losing it costs time only.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from reconciler.config.known import Memory

_FILE = "verdicts"
_WORDS = 4
"""On a line: a fingerprint, then account, mapper and sealed texts."""
MAX_BYTES = 64 * 1024 * 1024
"""A file of a hundred bytes for each district: far more than there are."""


class Cache:
    """The memory of one repository, in a folder of its own below the user's cache folder."""

    def __init__(self, home: Path, root: Path):
        """`home`: the folder of all our caches; `root`: the repository. Nothing is touched yet."""
        self._root = root.resolve()
        self._home = home
        self._folder = home / hashlib.sha256(os.fsencode(self._root)).hexdigest()[:32]
        self._stored: Memory | None = None

    def recall(self) -> Memory:
        """What was remembered; empty where nothing was, or where it is not to be believed."""
        memory: Memory = {}
        with suppress(OSError, ValueError):
            memory = self._stored = _parsed(self._read())
        return memory

    def remember(self, memory: Memory) -> None:
        """Put this in the place of what was there, at once; a machine that refuses it is left alone."""
        if memory == self._stored or self._is_in_repository():
            return
        with suppress(OSError, ValueError):
            self._write(_text(memory))

    def _is_in_repository(self) -> bool:
        return self._home.resolve().is_relative_to(self._root)

    def _read(self) -> bytes:
        """Raises OSError where another user could have written it, or there is nothing."""
        if self._is_in_repository() or not _is_ours_alone(self._folder.lstat()):
            raise PermissionError(self._folder)
        handle = os.open(self._folder / _FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:  # noqa: PTH123 – it is a handle
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or not _is_ours_alone(status):
                raise PermissionError(self._folder)
            return stream.read(MAX_BYTES)

    def _write(self, text: bytes) -> None:
        """Raises OSError. A reader sees the file before or after, whole; of two writers one is last."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours_alone(self._folder.lstat()):
            return
        new = self._folder / f"{_FILE}.{os.urandom(8).hex()}"
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(handle, "wb") as stream:  # noqa: PTH123 – it is a handle
                stream.write(text)
            new.replace(self._folder / _FILE)
        except BaseException:
            new.unlink(missing_ok=True)
            raise


def _is_ours_alone(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _text(memory: Memory) -> bytes:
    """A line with the digest of all that follows, then one for each file: fingerprint, and what is known."""
    body = "\n".join(" ".join((fingerprint, *known)) for fingerprint, known in memory.items()).encode()
    # By the schema none of these has a space in it; one that had would move all that follow.
    if len(body.split()) != _WORDS * len(memory):
        raise ValueError("a text with a space")
    return _digest(body) + b"\n" + body


def _parsed(text: bytes) -> Memory:
    """Raises ValueError for what was not written by `_text`."""
    digest, _, body = text.partition(b"\n")
    if digest != _digest(body):
        raise ValueError("cut short, or altered")
    words = body.decode().split()
    columns = (words[start::_WORDS] for start in range(1, _WORDS))
    return dict(zip(words[::_WORDS], zip(*columns, strict=True), strict=True))


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
