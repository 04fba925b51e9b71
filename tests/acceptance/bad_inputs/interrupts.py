"""^C while a district is at work: a server that keeps one of three waiting at the login."""

from __future__ import annotations

import json
import signal
import threading
from typing import IO

from reconciler.demo.server import LocalSftpServer
from tests.acceptance.bad_inputs.case import Way
from tests.acceptance.world import Done, World, students_csv

NAMES = ("ash", "oak", "pine")
_PATIENCE = 60
"""Seconds until a test is given up; nothing waits as long."""


class Door:
    """At which `oak` waits, until somebody opens it."""

    def __init__(self) -> None:
        self._reached, self._opened = threading.Event(), threading.Event()

    def three_districts(self, world: World) -> None:
        """One before and one after `oak`, for one worker takes them in order."""
        world.server.stop()
        world.server = LocalSftpServer({}, observer=self._come)
        for name in NAMES:
            world.district(name, schools=["0042"])
            world.put(name, {"students.csv": students_csv(3)})

    def _come(self, what: str, who: str) -> None:
        if (what, who) == ("auth", "oak"):
            self._reached.set()
            self._opened.wait(_PATIENCE)

    def interrupted(self, times: int) -> Way:
        """Interrupts the program so often while oak is waiting; after a second time the door stays shut."""

        def way(world: World, arguments: tuple[str, ...]) -> Done:
            self._reached.clear()
            self._opened.clear()
            with world.start("--log-level", "info", *arguments) as process:
                assert process.stderr
                assert self._reached.wait(_PATIENCE)
                process.send_signal(signal.SIGINT)
                said = _read_until("interrupt again to stop at once", process.stderr)
                if times == 1:
                    self._opened.set()
                else:
                    process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=_PATIENCE)
            self._opened.set()
            # Who waited for oak would have heard how its step ended.
            assert ("reconciler.engine: oak" in err) == (times == 1)
            assert "json" not in arguments or json.loads(out)
            return Done(process.returncode, out, said + err)

        return way

    def goes_on(self, world: World) -> None:
        """What was finished stayed; the next run does the rest."""
        assert {r["district"] for r in world.export("students")} == {"ash"}
        assert world.run("reconcile").code == 0
        assert {r["district"] for r in world.export("students")} == set(NAMES)


def _read_until(words: str, stream: IO[str]) -> str:
    said = ""
    while words not in said:
        line = stream.readline()
        assert line, said
        said += line
    return said
