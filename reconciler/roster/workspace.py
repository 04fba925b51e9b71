"""A private folder for a run's files, gone when the run ends, and at the next start after a kill.

Children's data lies here for as long as a sync takes: the folder and all files in it are their owner's only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from reconciler.settings import temporary_folder

_PREFIX = "reconciler-"
_LOCK = ".lock"


@contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """A new folder (mode 0700) under `parent`, default the system's temporary folder.

    A lock file beside the folder's content is held for as long as it is in use, so that whoever starts next
    can tell a folder in use from one whose owner was killed, and removes the latter.
    """
    base = parent or temporary_folder()
    sweep(base)
    with _PRIVATE:
        folder, lock = _claimed_folder(base)
        try:
            yield folder
        finally:
            _remove(folder)
            lock.close()


class _Private:
    """A umask of 077 while at least one thread is inside: DuckDB's files too are for their owner alone.

    It is the process's; what a command writes for others to read, it writes outside.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._inside = 0
        self._before = 0

    def __enter__(self) -> None:
        with self._guard:
            if not self._inside:
                self._before = os.umask(0o077)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._inside -= 1
            if not self._inside:
                os.umask(self._before)


_PRIVATE = _Private()


def _remove(folder: Path) -> None:
    """Remove a folder, its lock last: killed in between, what is left is still known as ours."""
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _LOCK:
                entry.unlink()
        if [entry.name for entry in folder.iterdir()] == [_LOCK]:
            shutil.rmtree(folder, ignore_errors=True)


def _claimed_folder(base: Path) -> tuple[Path, IO[bytes]]:
    """A new folder and its lock. A sweeper that comes between the two takes the folder: then another one."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        with suppress(OSError):
            lock = _lock(folder)
            if lock is None:
                continue
            if _is_at(lock, folder / _LOCK):
                return folder, lock
            lock.close()


def _is_at(lock: IO[bytes], path: Path) -> bool:
    """Whether the locked file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def sweep(base: Path | None = None) -> int:
    """Remove the folders whose owners are gone; returns how many. Never raises."""
    base = base or temporary_folder()
    removed = 0
    for folder in base.glob(_PREFIX + "*"):
        with suppress(OSError):
            if not folder.is_dir() or folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            if not (folder / _LOCK).exists():
                continue
            lock = _lock(folder)
            if lock:
                _remove(folder)
                lock.close()
                removed += 1
    return removed


def _lock(folder: Path) -> IO[bytes] | None:
    """An exclusive lock on the folder, or None where another process holds it."""
    file = (folder / _LOCK).open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
