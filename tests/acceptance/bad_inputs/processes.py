"""Ways to run the program where a process, its streams or its folder are the point."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

from reconciler.cli.main import run
from tests.acceptance.bad_inputs.case import Way
from tests.acceptance.world import Done, World

PROGRAM = (sys.executable, "-m", "reconciler")


def in_a_process(**environment: str) -> Way:
    """A process of its own, with these variables added."""

    def way(world: World, arguments: tuple[str, ...]) -> Done:
        return _done([*PROGRAM, "-C", str(world.root), *arguments], world, environment)

    return way


def in_a_shell(line: str, **environment: str) -> Way:
    """A line of bash with `pipefail`, `PROGRAM` being the program with the command's arguments."""

    def way(world: World, arguments: tuple[str, ...]) -> Done:
        program = shlex.join([*PROGRAM, "-C", str(world.root), *arguments])
        return _done(["bash", "-o", "pipefail", "-c", line.replace("PROGRAM", program)], world, environment)

    return way


def _done(command: list[str], world: World, environment: dict[str, str]) -> Done:
    done = subprocess.run(
        command,
        env={**os.environ, **world.environment, **environment},
        capture_output=True,
        check=False,
        timeout=60,
        encoding="utf-8",
    )
    return Done(done.returncode, done.stdout, done.stderr)


def on_a_terminal(**environment: str) -> Way:
    """A terminal as standard output."""

    def way(world: World, arguments: tuple[str, ...]) -> Done:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*PROGRAM, "-C", str(world.root), *arguments],
            env={**os.environ, **world.environment, **environment},
            stdout=theirs,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        out = b""
        with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # noqa: PTH123
            while read := terminal.read(4096):
                out += read
        return Done(process.wait(60), out.decode(), "")

    return way


def called_in(folder: str) -> Way:
    """Without `-C`, from a folder beside the repository."""

    def way(world: World, arguments: tuple[str, ...]) -> Done:
        out, err = io.StringIO(), io.StringIO()
        place = Path(world.root.parent) / folder
        place.mkdir(exist_ok=True)
        streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with contextlib.chdir(place), streams[0], streams[1]:
            code = run(list(arguments))
        return Done(code, out.getvalue(), err.getvalue())

    return way
