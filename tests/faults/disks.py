"""A disk that can be filled: a small tmpfs, where this user may mount one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import require

BLOCK = 4096


class Disk:
    """A mounted file system of its own."""

    def __init__(self, path: Path):
        self.path = path
        self._filler = path / "filler"

    def leave(self, room: int) -> None:
        """Fill the disk up to so many bytes."""
        self.empty()
        rest = shutil.disk_usage(self.path).free - room
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(rest // BLOCK * BLOCK, BLOCK))

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes at `path`. Skips where this user may not mount one."""
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)], capture_output=True, check=False
    )
    require(done.returncode == 0, "a small disk is mounted by root only")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
