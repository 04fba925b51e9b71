"""A fleet of one district on OpenSSH's sshd, and the program run on it by its command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.district import SCHOOLS, write_district
from reconciler.cli.main import run
from reconciler.sftp import Target, connect
from tests.servers import Sshd

_KEY = "SFTP_BENCH_KEY"


@dataclass(frozen=True, slots=True)
class Fleet:
    """A repository with one district, its schools mapped, SQLite beside it, and its server."""

    root: Path
    server: Sshd

    def reconciler(self, command: str) -> None:
        """Runs a command in this process. Raises RuntimeError where it fails."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(self._arguments(command))
        if code:
            raise RuntimeError(f"reconciler {command} ended with {code}: {out.getvalue()}{err.getvalue()}")

    def process(self, command: str) -> list[str]:
        """The same as the command line of a process of its own."""
        return [sys.executable, "-m", "reconciler", *self._arguments(command)]

    def list_files(self) -> None:
        """Connects, logs in, lists and closes, with our own package and nothing else of the program."""
        server = self.server
        target = Target(
            server.host, server.port, server.username, private_key=server.private_key, pins=(server.host_key,)
        )
        with connect(target) as session:
            session.list_files(".", "*.csv")

    def _arguments(self, command: str) -> list[str]:
        return ["-C", str(self.root), "--database-url", f"sqlite:///{self.root}/state.db", command]


@contextlib.contextmanager
def fleet_of(students: int, folder: Path) -> Iterator[Fleet]:
    """A fleet whose district's export lies in `folder`/exports; its key is in the environment meanwhile."""
    exports = folder / "exports"
    write_district(exports, students)
    for path in exports.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))  # long settled
    with Sshd(folder, exports) as server:
        os.environ[_KEY] = server.private_key
        try:
            yield Fleet(_repository(folder / "fleet", server), server)
        finally:
            del os.environ[_KEY]


def _repository(root: Path, server: Sshd) -> Path:
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
