"""A sync whose files are those of the stored rows: one listing, and how much beyond the connection it costs.

`reconciler sync` runs within this process (a start of Python would be most of it), against OpenSSH's sshd in
processes of its own. In turns with it: connecting, logging in, listing and closing, with our own package.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.district import SCHOOLS, write_district
from benchmarks.measured import Measured, seconds
from reconciler.cli.main import run
from reconciler.sftp import Target, connect
from tests.servers import Sshd, sshd_path

ROUNDS = 15
GOAL_MS = 50
_KEY = "SFTP_BENCH_KEY"


def measure(students: int, folder: Path) -> Iterator[Measured]:
    """Of a small district: the files' size must not matter, since none is read."""
    if sshd_path() is None:
        print("listing: OpenSSH's sshd is not installed", file=sys.stderr)
        return
    exports = folder / "exports"
    write_district(exports, min(students, 1_000))
    for path in exports.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    with Sshd(folder, exports) as server, _environment({_KEY: server.private_key}):
        fleet = _fleet(folder / "fleet", server)
        _reconciler(fleet, "reconcile")
        works = (lambda: _listing(server)), (lambda: _reconciler(fleet, "sync"))
        taken = [(*_spent(works[0]), *_spent(works[1])) for _ in range(ROUNDS + 1)][1:]
    bare, bare_cpu, whole, whole_cpu = (
        1000 * statistics.median(column) for column in zip(*taken, strict=True)
    )
    beyond = 1000 * statistics.median(each[2] - each[0] for each in taken)
    yield Measured(
        "unchanged files: a sync beyond connect, log in, list and close", beyond, None, GOAL_MS, unit="ms",
        note=f"{whole:.0f} ms, connection {bare:.0f} ms; processor {whole_cpu:.0f} and {bare_cpu:.0f} ms",
    )  # fmt: skip


def _spent(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds of wall clock and of this process's processors."""
    worked = time.process_time()
    return seconds(work), time.process_time() - worked


def _listing(server: Sshd) -> None:
    target = Target(
        server.host, server.port, server.username, private_key=server.private_key, pins=(server.host_key,)
    )
    with connect(target) as session:
        session.list_files(".", "*.csv")


def _fleet(root: Path, server: Sshd) -> Path:
    """A repository with one district, its schools mapped, and SQLite beside it."""
    (root / "districts").mkdir(parents=True)
    district = {
        "district": "bench", "name": "Bench", "account": "1", "mapper": "generic",
        "sftp": {
            "host": server.host, "port": server.port, "username": server.username,
            "private_key": {"env": _KEY}, "host_key": server.host_key,
        },
        "schools": [{"sis_id": f"{n:04d}", "school": f"school-{n:04d}"} for n in range(SCHOOLS)],
    }  # fmt: skip
    (root / "districts" / "bench.yaml").write_text(json.dumps(district))
    return root


def _reconciler(root: Path, command: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["-C", str(root), "--database-url", f"sqlite:///{root}/state.db", command])
    if code:
        raise RuntimeError(f"reconciler {command} ended with {code}: {out.getvalue()}{err.getvalue()}")


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
