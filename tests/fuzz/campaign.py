"""Runs the targets under atheris for a given time: `python -m tests.fuzz.campaign --minutes 60 [TARGET]…`.

Each target has a process of its own, which is started anew until its time is over: what is known to break a
promise is written down, once for each place where it does, and the search goes on. What was found to be worth
keeping lies in .fuzz/TARGET/corpus, what broke a promise in .fuzz/TARGET/broken, outside of the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.mutate import changed

TARGETS = ("yaml_files", "mapper_files", "rosters", "file_names")
HOME = Path(__file__).parents[2] / ".fuzz"
_HANG_SECONDS = 180
"""Of a clock on the wall, for what hangs without using the processor: long, for the machine may be busy."""
_MAX_BYTES = {"yaml_files": 6000, "mapper_files": 6000, "rosters": 4000, "file_names": 8000}
_MEMORY_MIB = 1500
"""Of the process, its instruments, its corpus and the database included."""
_STATUS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)", re.MULTILINE)


@dataclass
class Run:
    """What came of one target so far."""

    target: str
    executions: int = 0
    first_coverage: int = 0
    coverage: int = 0
    features: int = 0
    kept: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    starts: int = 0
    broken: list[str] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"{self.target}: {self.executions:,} inputs in {self.wall_seconds / 60:.0f} minutes "
            f"({self.cpu_seconds / 60:.0f} of the processor, {self.starts} starts), "
            f"coverage {self.first_coverage} → {self.coverage}, {self.kept} inputs kept, "
            f"{len(self.broken)} kinds of broken promises"
        )


def main(arguments: Sequence[str]) -> int:
    """Run the targets one after the other, or two at a time; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.campaign")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=60)
    said = parser.parse_args(arguments)
    unknown = set(said.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {min(unknown)}; there are {', '.join(TARGETS)}")
    waiting = list(said.targets or TARGETS)
    runs: list[Run] = []
    at_work: list[subprocess.Popen[bytes]] = []
    if len(waiting) == 1:
        runs.append(_run(waiting[0], said.minutes * 60))
        sys.stdout.write(f"{runs[0].line()}\n")
        return 1 if runs[0].broken else 0
    # A process each: the time on the processor that its children took is then its own.
    failed = 0
    for target in waiting:
        while len(at_work) >= max(os.cpu_count() or 1, 1):
            failed += _reap(at_work)
        at_work.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.campaign", target, "--minutes", str(said.minutes)]
            )
        )
    while at_work:
        failed += _reap(at_work)
    return 1 if failed else 0


def _reap(at_work: list[subprocess.Popen[bytes]]) -> int:
    """Wait for one of the processes to end; whether it found something."""
    while True:
        for process in at_work:
            if process.poll() is not None:
                at_work.remove(process)
                return int(bool(process.returncode))
        time.sleep(1)


def _run(target: str, seconds: float) -> Run:
    """Fuzz one target for so long, started anew whenever it ends early."""
    run = Run(target)
    home = HOME / target
    for folder in ("corpus", "broken"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    _write_seeds(target, home / "corpus")
    began = time.monotonic()
    log = home / "log"
    log.write_bytes(b"")
    while (left := seconds - (time.monotonic() - began)) > 5:
        run.starts += 1
        before = log.stat().st_size
        with log.open("ab") as out:
            piece = min(left, max(seconds / 6, 60))
            ended = subprocess.run(
                _command(target, home, piece, run.starts), stdout=out, stderr=out, check=False
            )
        _note(run, log.read_bytes()[before:].decode(errors="replace"))
        run.wall_seconds = time.monotonic() - began
        if ended.returncode and run.wall_seconds < 60 * run.starts / 5:
            break  # it does not even start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    run.cpu_seconds = used.ru_utime + used.ru_stime
    run.broken = sorted(p.name for p in (home / "broken").iterdir() if p.suffix != ".txt")
    (home / "last.json").write_text(json.dumps(vars(run), indent=2) + "\n")
    return run


def _command(target: str, home: Path, seconds: float, start: int) -> list[str]:
    """Every second start changes the inputs with `mutate.changed` instead of libFuzzer's own ways."""
    way = "ours" if start % 2 else "libfuzzer"
    return [
        sys.executable, "-m", "tests.fuzz.campaign_worker", target, way, str(home / "corpus"),
        f"-max_total_time={int(seconds)}", f"-timeout={_HANG_SECONDS}", f"-rss_limit_mb={_MEMORY_MIB}",
        f"-max_len={_MAX_BYTES[target]}", f"-artifact_prefix={home / 'broken'}/", "-print_final_stats=1",
        f"-dict={home / 'words'}", f"-report_slow_units={_HANG_SECONDS}", "-use_value_profile=0",
    ]  # fmt: skip


def _write_seeds(target: str, corpus: Path) -> None:
    module = importlib.import_module(f"tests.fuzz.{target}")
    for seed in module.SEEDS:
        (corpus / f"seed-{hashlib.sha256(seed).hexdigest()[:16]}").write_bytes(seed)
    words = ('"' + "".join(f"\\x{byte:02x}" for byte in word[:60]) + '"' for word in module.WORDS if word)
    (corpus.parent / "words").write_text("\n".join(words) + "\n")


def _note(run: Run, log: str) -> None:
    """Take what libFuzzer says of one start."""
    said = _STATUS.findall(log)
    if said:
        numbers = [[int(number) for number in line] for line in said]
        run.executions += numbers[-1][0]
        run.first_coverage = run.first_coverage or numbers[0][1]
        run.coverage = max(run.coverage, numbers[-1][1])
        run.features = max(run.features, numbers[-1][2])
        run.kept = max(run.kept, numbers[-1][3])


# -- in the process that is instrumented --------------------------------------------------------------------


def guarded(module: Any, broken: Path) -> Any:
    """The target's check, which writes down what breaks a promise instead of ending the search."""

    def check(data: bytes) -> None:
        try:
            module.check(data)
        except Exception as error:
            _keep(broken, data, error)

    return check


def _keep(broken: Path, data: bytes, error: Exception) -> None:
    """Keep the shortest input for each place at which a promise breaks."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/oracles.py" not in f.filename]
    place = "-".join(f"{Path(f.filename).stem}.{f.name}.{f.lineno}" for f in frames[-2:])
    name = re.sub(r"[^A-Za-z0-9.-]", "_", f"{type(error).__name__}-{place}")[:150]
    path = broken / name
    if path.exists() and path.stat().st_size <= len(data):
        return
    path.write_bytes(data)
    path.with_name(f"{name}.txt").write_text(
        "".join(traceback.format_exception(error)), encoding="utf-8", errors="replace"
    )


def mutator(module: Any) -> Callable[[bytes, int, int], bytes]:
    """Changes an input as `mutate.changed` does, in the form that libFuzzer wants."""

    def custom(data: bytes, max_size: int, seed: int) -> bytes:
        return changed(random.Random(seed), bytearray(data), module.SEEDS, module.WORDS)[:max_size]

    return custom


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
