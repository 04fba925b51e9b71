"""Runs a page: writes the files that it shows, types its commands, and compares what they print.

Fenced blocks are told apart by their first line: "```yaml PATH" (or json, csv) is a file, "```console" holds
commands for bash after `$ ` with what they print. A line with `…` alone stands for any number of lines.
Times, ages and digests are not compared. Everything else in a page is for reading.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<kind>\w+)(?: (?P<path>\S+))?\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIES = (
    (re.compile(r" \d+\.\ds\b"), ""),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-09-01T02:00:00Z"),
    (re.compile(r"\b(?:[0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{64})\b"), "0123456789ab"),
    (re.compile(r"\b\d+ (seconds|minutes|hours)\b"), "60 minutes"),
)


@dataclass(slots=True)
class Page:
    """A page being run in `folder`; `rewrite` is applied to each file, `restore` to each output."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    rewrite: Callable[[str], str] = str
    restore: Callable[[str], str] = str
    retype: Callable[[str], str] = str
    """From a command as the page shows it to the one that is run."""
    typed: list[str] = field(default_factory=list)
    """The commands that were run."""

    def run(self, text: str) -> str:
        """The page as it ought to be: the same text where every command prints what the page says."""
        return _BLOCK.sub(self._block, text)

    def _block(self, match: re.Match[str]) -> str:
        path, content = match["path"], match["content"]
        if path:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(self.rewrite(content), encoding="utf-8")
        if path or match["kind"] != "console":
            return match[0]
        return "```console\n" + "".join(self._console(content)) + "```"

    def _console(self, content: str) -> Iterator[str]:
        for part in re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]:
            line, _, said = part.partition("\n")
            printed = self.restore(self._printed(line))
            yield f"$ {line}\n{said if _agree(said, printed) else _tidy(printed)}"

    def _printed(self, line: str) -> str:
        self.typed.append(line)
        if line.startswith("cd "):
            self.folder = (self.folder / line.removeprefix("cd ")).resolve()
            return ""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{self.environment.get('PATH', os.defpath)}"
        done = subprocess.run(
            ["bash", "-c", self.retype(line)],
            cwd=self.folder,
            env={**self.environment, "PATH": programs},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout


def _agree(said: str, printed: str) -> bool:
    lines = _plain(said).splitlines()
    pattern = "".join(r"(?:[^\n]*\n)*?" if line == "…" else re.escape(line + "\n") for line in lines)
    printed = _plain(printed)
    return re.fullmatch(pattern, f"{printed}\n" if printed else "") is not None


def _plain(text: str) -> str:
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    return _tidy(text).removesuffix("\n")


def _tidy(text: str) -> str:
    """Without space at the ends of lines, and without empty lines at the end."""
    return "".join(line.rstrip() + "\n" for line in text.rstrip().splitlines())
