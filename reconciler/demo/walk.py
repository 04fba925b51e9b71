"""The walk through everything: each command as a person types it, what it prints, and why it comes next.

Every command is a process of its own, as it is in CI. A command that ends otherwise than it has to, or does
not show what the sentence before it promises, ends the demo: so the demo is a test as well.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from reconciler.demo.exports import cedar_hill, riverbend
from reconciler.demo.stage import Stage
from reconciler.errors import ReconcilerError

_HARBOR_VIEW = '  - {sis_id: "0305", school: harbor-view-elementary, name: Harbor View Elementary}\n'
_SECONDS = 60
"""In which every command has to end."""


class DemoError(ReconcilerError):
    """A command of the demo did not end as it has to."""

    code = "demo.unexpected"


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the demo is shown: a way to write a text, one for a heading, and whether a person looks on."""

    write: Callable[[str], None]
    emphasize: Callable[[str], str] = str
    is_terminal: bool = False


class Walk:
    """Shows sentences and commands on a screen, and runs the commands on a stage."""

    def __init__(self, there: Stage, screen: Screen):
        self._there = there
        self._screen = screen

    def say(self, sentence: str) -> None:
        """Why the next thing happens."""
        self._screen.write(f"\n{self._screen.emphasize('# ' + sentence)}")

    def run(self, line: str, *, ends: int = 0, shows: Sequence[str] = (), first: int | None = None) -> None:
        """Run `reconciler LINE`; it must exit with `ends` and print every text of `shows`.

        `first` cuts what it prints to so many lines, as `head` does. On a terminal, where it prints in
        colour by itself, only the exit code is looked at. Raises DemoError.
        """
        typed = f"reconciler {line}" + (f" | head -n {first}" if first else "")
        self._screen.write(f"$ {typed}")
        straight = self._screen.is_terminal and first is None
        done = self._process(line.split(), capture=not straight)
        said = (done.stdout or "") + (done.stderr or "")
        if said:
            self._screen.write("\n".join(islice(said.rstrip("\n").splitlines(), first)))
        if done.returncode != ends:
            raise _unexpected(typed, f"it exited with {done.returncode}, not with {ends}")
        missing = [text for text in shows if text not in said]
        if missing and not straight:
            raise _unexpected(typed, f"it did not say {missing[0]!r}")

    def edit(self, file: str, line: str, *, after: str, message: str) -> None:
        """Add a line to a file of the repository after the line that starts with `after`, and commit it."""
        path = self._there.repository / file
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        place = next(n for n, text in enumerate(lines, 1) if text.startswith(after))
        path.write_text("".join([*lines[:place], line, *lines[place:]]), encoding="utf-8")
        self._there.commit(message)
        self._screen.write(f"{file}:{place + 1}\n+{line.rstrip()}")

    def _process(self, arguments: Sequence[str], *, capture: bool) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [sys.executable, "-m", "reconciler", *arguments],
                cwd=self._there.repository,
                env=dict(self._there.environment),
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if capture else None,
                stderr=subprocess.STDOUT if capture else None,
                encoding="utf-8",
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise _unexpected(
                f"reconciler {' '.join(arguments)}", f"it took over {_SECONDS} seconds"
            ) from error


def take_walk(there: Stage, screen: Screen) -> None:
    """The whole walk. Raises DemoError at the first command that does not end as it has to."""
    walk = Walk(there, screen)
    screen.write(
        "Four districts, each a file under districts/, an SFTP server that plays all of theirs, and a\n"
        "database; all of it invented, and gone when the demo ends."
    )
    _onboard(walk)
    _look(walk)
    _next_day(walk, there)
    _hold(walk, there)
    _map_the_waiting_school(walk)
    _look_back(walk)


def _onboard(walk: Walk) -> None:
    walk.say(
        "A pull request adds district files. Its check looks at the files alone: no network, no secrets."
    )
    walk.run("validate", shows=["valid"])
    walk.say("What would happen to the database? To plan, nothing is connected to and nothing is written.")
    walk.run("plan", shows=["Plan: 4 to create, 0 unchanged."])
    walk.say("After the merge: connect to each, learn its schools, map its rows, and write them.")
    walk.run("reconcile", shows=["4 succeeded, 0 failed"])


def _look(walk: Walk) -> None:
    walk.say("Where does every connection stand?")
    walk.run("status", shows=["riverbend-isd", "1 unmapped"])
    walk.say("Lakeside has a school that no line of its file maps. Its students wait outside, counted.")
    walk.run("schools lakeside-usd", shows=["Harbor View Elementary"])
    walk.say("Two rows of Lakeside's file could not be taken, and one date. Everything else was.")
    walk.run("rejects lakeside-usd", shows=["students.csv:11", "row.ragged"])


def _next_day(walk: Walk, there: Stage) -> None:
    walk.say("The next day Riverbend uploads a new export: a child left, a child came, a phone changed.")
    there.upload("riverbend-isd", riverbend(next_day=True))
    walk.run(
        "sync", shows=["1 added", "1 removed", "1 changed", "1 succeeded, 0 failed, 0 blocked, 3 unchanged"]
    )


def _hold(walk: Walk, there: Stage) -> None:
    walk.say("Cedar Hill's export is short: its high school is missing. A limit holds it, nobody is removed.")
    there.upload("cedar-hill-isd", cedar_hill(cut=True))
    walk.run("sync cedar-hill-isd", ends=3, shows=["sync.removals", "16 of 30 active students"])
    walk.say("The next upload is whole again, and the hold ends by itself.")
    there.upload("cedar-hill-isd", cedar_hill())
    walk.run("sync cedar-hill-isd", shows=["0 failed, 0 blocked"])


def _map_the_waiting_school(walk: Walk) -> None:
    walk.say("Someone maps the waiting school, in the district's file.")
    walk.edit(
        "districts/ca/lakeside-usd.yaml",
        _HARBOR_VIEW,
        after='  - {sis_id: "0304"',
        message="Map Harbor View",
    )
    walk.run("plan --detailed-exitcode", ends=2, shows=["schools[0305]: harbor-view-elementary"])
    walk.run("reconcile", shows=["14 added"])
    walk.say("Once more: what is done is not done again. No file is read, no row written.")
    walk.run("reconcile", shows=["4 unchanged"])
    walk.run("plan --detailed-exitcode", shows=["No changes."])


def _look_back(walk: Walk) -> None:
    walk.say("Who changed what, when, and at which commit?")
    walk.run("history --limit 3", shows=["lakeside-usd"])
    walk.say("The rows are there for other systems, ids as text and leading zeros kept.")
    walk.run("export students --district riverbend-isd", first=3, shows=["riverbend-isd,0001"])
    walk.run("export relationships --district lakeside-usd", first=3, shows=["0501"])


def _unexpected(typed: str, what: str) -> DemoError:
    return DemoError(
        f"`{typed}` did not end as it has to: {what}",
        hint="this is a fault of reconciler, or something stood in its way; what it printed is above",
    )
