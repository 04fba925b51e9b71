"""A private folder for a run's files, gone when the run ends, and at the next start after a kill.

Children's data lies here for as long as a sync takes: the folder is readable by its owner only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_PREFIX = "reconciler-"


@contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """A new folder (mode 0700) under `parent`, default the system's temporary folder.

    A lock file beside the folder's content is held for as long as it is in use, so that whoever starts next
    can tell a folder in use from one whose owner was killed, and removes the latter.
    """
    base = parent or Path(tempfile.gettempdir())
    sweep(base)
    folder, lock = _claimed_folder(base)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _claimed_folder(base: Path) -> tuple[Path, IO[bytes]]:
    """A new folder and its lock. A sweeper that comes between the two takes the folder: then another one."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        with suppress(OSError):
            lock = _lock(folder)
            if lock is None:
                continue
            if _is_at(lock, folder / ".lock"):
                return folder, lock
            lock.close()


def _is_at(lock: IO[bytes], path: Path) -> bool:
    """Whether the locked file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def sweep(base: Path) -> int:
    """Remove the folders whose owners are gone; returns how many. Never raises."""
    removed = 0
    for folder in base.glob(_PREFIX + "*"):
        with suppress(OSError):
            if not folder.is_dir() or folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            if not (folder / ".lock").exists():
                continue
            lock = _lock(folder)
            if lock:
                shutil.rmtree(folder, ignore_errors=True)
                lock.close()
                removed += 1
    return removed


def _lock(folder: Path) -> IO[bytes] | None:
    """An exclusive lock on the folder, or None where another process holds it."""
    file = (folder / ".lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
