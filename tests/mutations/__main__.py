"""Takes each check out of a copy of the repository, and prints which tests noticed. `make mutations`.

First all tests run on a copy where nothing is taken out: a test that is red by itself notices nothing.
Exits with 1 where a check could be taken out and no test turned red.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutations.mutation import ROOT, Mutation, read_mutations

RED = 1
"""How pytest ends where tests ran and some failed. Others mean that it did not come to run them."""
LIMIT_SECONDS = 600
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", "__pycache__", ".*_cache", "node_modules", ".hypothesis")


def main(names: Sequence[str]) -> int:
    """Run the mutations whose name has one of `names` in it, or all."""
    wanted = [m for m in read_mutations() if not names or any(name in m.name for name in names)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT, symlinks=True)
        _with_samples(Path(folder))
        if not _all_green(copy, wanted):
            return 1
        print("| guarantee | what holds | the check that was taken out | noticed | seconds |")
        print("|---|---|---|---|---|")
        noticed = [_try(copy, mutation) for mutation in wanted]
    print(f"\n{sum(noticed)} of {len(noticed)} noticed")
    return 0 if wanted and all(noticed) else 1


def _with_samples(folder: Path) -> None:
    """Beside the copy, the samples that lie beside the repository, where they do."""
    samples = ROOT.parent / "shared"
    if samples.is_dir():
        (folder / "shared").symlink_to(samples.resolve())


def _all_green(copy: Path, mutations: Sequence[Mutation]) -> bool:
    """Whether the tests pass while nothing is taken out; what fails is shown."""
    tests = sorted({test for mutation in mutations for test in mutation.tests})
    ran = _pytest(copy, tests)
    if ran.returncode:
        print(ran.stdout, "the tests are not green before anything is taken out", sep="\n", file=sys.stderr)
    return ran.returncode == 0


def _try(copy: Path, mutation: Mutation) -> bool:
    path = copy / mutation.file
    whole = path.read_text(encoding="utf-8")
    started = time.monotonic()
    path.write_text(mutation.applied_to(whole), encoding="utf-8")
    try:
        ran = _pytest(copy, [*mutation.tests, "-x"])
    finally:
        path.write_text(whole, encoding="utf-8")
    line = whole[: whole.index(mutation.find)].count("\n") + 1
    verdict = "yes" if ran.returncode == RED else f"**no** (pytest ended with {ran.returncode})"
    print(
        f"| {mutation.guarantee} | {mutation.promise} | {mutation.file}:{line} | {verdict} "
        f"| {time.monotonic() - started:.0f} |",
        flush=True,
    )
    return ran.returncode == RED


def _pytest(copy: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """The tests with the copy's program, in this process's Python; a time limit counts as red."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "120", *arguments]
    try:
        return subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False,
            timeout=LIMIT_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, RED, "", "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
