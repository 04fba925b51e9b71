"""One download from one server, in a process of its own: `python -m benchmarks.transfer`.

Reads a Job as JSON from standard input and prints a Transfer as JSON. Both sides are timed from the call to
the file being there whole; connecting and logging in come before. A process for each keeps one's memory, and
what it left in the allocator, out of the other's figures.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import paramiko

from reconciler.errors import ReconcilerError
from reconciler.sftp import Target, connect


@dataclass(frozen=True, slots=True)
class Job:
    """What to fetch, and with what: `ours` is Session.download, `theirs` paramiko's own `get`."""

    side: str
    host: str
    port: int
    username: str
    host_key: str
    name: str
    private_key: str | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Seconds of wall clock and of this process's processors, bytes, and MB of memory above idle."""

    seconds: float
    cpu_seconds: float
    size: int
    memory_mb: float
    ended: str
    """`whole`, or the code of the error that it ended with."""


def main() -> None:
    job = Job(**json.load(sys.stdin))
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        to = Path(folder) / "received"
        transfer = _ours(job, to) if job.side == "ours" else _theirs(job, to)
    json.dump({name: getattr(transfer, name) for name in Transfer.__slots__}, sys.stdout)


def _ours(job: Job, to: Path) -> Transfer:
    """Session.download: bounded, watched, hashed, compared with the listing, and on the disk."""
    target = Target(
        job.host, job.port, job.username, job.password, job.private_key, pins=(job.host_key,)
    )  # fmt: skip
    with connect(target) as session:
        (file,) = session.list_files(".", job.name)
        return _measured(lambda: session.download(".", file, to), to)


def _theirs(job: Job, to: Path) -> Transfer:
    """`get` as paramiko has it: ciphers, read-ahead and all by default; neither hashed nor synced."""
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(job.private_key or ""))
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(job.host, job.port, job.username, pkey=key, look_for_keys=False, allow_agent=False)
        with client.open_sftp() as sftp:
            sftp.stat(job.name)
            return _measured(lambda: sftp.get(job.name, str(to)), to)


def _measured(fetch: Callable[[], object], to: Path) -> Transfer:
    idle, started, worked = _memory_mb("VmRSS"), time.perf_counter(), time.process_time()
    try:
        fetch()
        ended = "whole"
    except ReconcilerError as error:
        ended = error.code
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    size = to.stat().st_size if to.exists() else 0
    return Transfer(seconds, cpu, size, _memory_mb("VmHWM") - idle, ended)


def _memory_mb(which: str) -> float:
    """VmRSS: now; VmHWM: at most since the process began (unlike ru_maxrss, not its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{which}:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
