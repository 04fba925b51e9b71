"""Processes that run the program, forked from one that has loaded it: hundreds of kills in minutes.

The parent has no thread and no connection; each child takes its environment, its arguments and a few lines of
Python that change it, and is a process of its own that can be killed or stopped.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.world import Done, World

ROOT = Path(__file__).parents[2]

_PARENT = """
import json, os, sys
import duckdb, paramiko, psycopg, sqlalchemy, alembic.command
import reconciler.cli.main, reconciler.cli.reconcile, reconciler.cli.sync, reconciler.cli.purge
import reconciler.cli.source, reconciler.engine.run, reconciler.store.store, reconciler.sftp
import reconciler.roster.roster, tests.faults.points, reconciler.store.marks, reconciler.config.fleet
import reconciler.config.districts, reconciler.config.fingerprint, reconciler.mapping.library
import jsonschema, referencing.jsonschema, idna, encodings.idna
reconciler.mapping.library.MapperLibrary(None).get("generic")
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        print(os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1]), flush=True)
        continue
    child = os.fork()
    if child == 0:
        code = 99
        try:
            for number, name in ((1, asked["out"]), (2, asked["err"])):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            os.environ.update(asked["environment"])
            exec(asked["change"], {})
            code = reconciler.cli.main.run(asked["arguments"])
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(child, flush=True)
"""


@dataclass(frozen=True)
class Child:
    """A process that runs the program."""

    nursery: Nursery
    pid: int
    out: Path
    err: Path

    def signal(self, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, which)

    def kill(self) -> Done:
        """Kill it, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def wait(self) -> Done:
        """How it ended; the code of one that was killed is -9."""
        code = int(self.nursery.ask({"wait": self.pid}))
        return Done(code, self.out.read_text(), self.err.read_text())

    @property
    def is_stopped(self) -> bool:
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        return stat.rpartition(")")[2].split()[0] == "T"

    @property
    def is_over(self) -> bool:
        """Whether it has ended and waits to be waited for."""
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        return stat.rpartition(")")[2].split()[0] == "Z"


class Nursery:
    """The parent, and what it is told."""

    def __init__(self, world: World, folder: Path, parent: subprocess.Popen[str]):
        self._world = world
        self._folder = folder
        self._parent = parent
        self._born = 0
        folder.mkdir()

    def start(self, *arguments: str, change: str = "", **environment: str) -> Child:
        """Start a command on the world's fleet, after the lines of `change`."""
        self._born += 1
        out, err = (self._folder / f"{self._born}.{kind}" for kind in ("out", "err"))
        asked = {
            "arguments": ["-C", str(self._world.root), *arguments],
            "environment": {**self._world.environment, **environment},
            "change": change,
            "out": str(out),
            "err": str(err),
        }
        return Child(self, int(self.ask(asked)), out, err)

    def run(self, *arguments: str, change: str = "", **environment: str) -> Done:
        """Run a command to its end."""
        return self.start(*arguments, change=change, **environment).wait()

    def ask(self, asked: dict[str, object]) -> str:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(asked) + "\n")
        self._parent.stdin.flush()
        return self._parent.stdout.readline()


@contextmanager
def parent() -> Iterator[subprocess.Popen[str]]:
    """The process that all children are forked from."""
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    started = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()
