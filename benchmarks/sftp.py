"""A large file from OpenSSH's sshd: our download against paramiko's own `get`, and its memory.

The two are taken in turns, each in a process of its own. Speed is compared in bytes a second of wall clock;
the processor's seconds stand beside, since a busy machine disturbs those less.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.measured import Measured
from benchmarks.transfer import Job, Transfer
from tests.servers import PASSWORD, USERNAME, Sshd, sshd_path
from tests.sftp.hostile import HostileServer, Tricks

SIZE = 500_000_000
ROUNDS = 5
MEMORY_MB = 64
NAME = "large.bin"
CLAIM = 10 << 30


def measure(students: int, folder: Path, size: int = SIZE) -> Iterator[Measured]:
    """`students` has no part in it."""
    if sshd_path() is None:
        print("sftp: OpenSSH's sshd is not installed", file=sys.stderr)
        return
    root = folder / "root"
    root.mkdir()
    _fill(root / NAME, size)
    with Sshd(folder, root) as server:
        rounds = [(_fetch(server, "ours"), _fetch(server, "theirs")) for _ in range(ROUNDS)]
    ours, theirs = ([each[side] for each in rounds] for side in (0, 1))
    yield Measured(
        "sftp: our download, hashed and on the disk, to paramiko's get", _speed(ours), _speed(theirs), 0.9,
        more_is_better=True, unit="MB/s",
    )  # fmt: skip
    yield Measured("sftp: the same in the processor's seconds", _cpu(ours), _cpu(theirs))
    yield Measured(
        "sftp: memory above idle", max(t.memory_mb for t in ours), None, MEMORY_MB, unit="MB",
        note=f"paramiko's get: {max(t.memory_mb for t in theirs):.0f} MB",
    )  # fmt: skip
    fooled = _from_a_liar(root)
    yield Measured(
        f"sftp: memory above idle, a server that claims {CLAIM >> 30} GiB", fooled.memory_mb, None, MEMORY_MB,
        unit="MB", note=f"ended with {fooled.ended}",
    )  # fmt: skip


def _fill(path: Path, size: int) -> None:
    """Bytes that no compression helps with, a megabyte at a time: a child begins as large as we are."""
    with path.open("wb") as file:
        for start in range(0, size, 1_000_000):
            file.write(os.urandom(min(1_000_000, size - start)))


def _fetch(server: Sshd, side: str) -> Transfer:
    job = Job(side, server.host, server.port, server.username, server.host_key, NAME, server.private_key)
    transfer = _run(job)
    if transfer.ended != "whole":
        raise RuntimeError(f"{side}: the transfer ended with {transfer.ended}")
    return transfer


def _from_a_liar(root: Path) -> Transfer:
    """A server that claims CLAIM bytes and has fewer."""
    with HostileServer(root, Tricks(claim=CLAIM)) as server:
        return _run(
            Job("ours", "127.0.0.1", server.port, USERNAME, server.fingerprint, NAME, password=PASSWORD)
        )


def _run(job: Job) -> Transfer:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.transfer"],
        input=json.dumps(asdict(job)), text=True, capture_output=True, check=True,
    )  # fmt: skip
    return Transfer(**json.loads(done.stdout))


def _speed(transfers: list[Transfer]) -> float:
    return statistics.median(t.size / t.seconds / 1e6 for t in transfers)


def _cpu(transfers: list[Transfer]) -> float:
    return statistics.median(t.cpu_seconds for t in transfers)
