"""Asks for known faults (CVEs and others) of every package that is locked, with pip-audit.

    .venv-audit/bin/python .ci/audit.py requirements.txt …

Exit code 1 where a fault is known. Where the database of faults cannot be reached, or knows no such package,
a loud line says so, and nothing fails: no answer is no finding, and no all-clear either.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What is known of one file's packages."""

    asked: int = 0
    unanswered: int = 0
    reason: str = ""
    faults: list[str] = field(default_factory=list)


def main(files: Sequence[str]) -> int:
    """Audit each file, and say what came of it."""
    answers = {file: _answer(file) for file in files}
    for file, answer in answers.items():
        for fault in answer.faults:
            _say("error", f"{file}: {fault}")
        if answer.unanswered or not answer.asked:
            told = f"{answer.unanswered} of {answer.asked} packages" if answer.asked else "its packages"
            _say("warning", f"{file}: NOT AUDITED: {told} could not be looked up ({answer.reason})")
        else:
            sys.stdout.write(f"{file}: {answer.asked} packages, {len(answer.faults)} known faults\n")
    return 1 if any(answer.faults for answer in answers.values()) else 0


def _answer(file: str) -> Answer:
    command = [sys.executable, "-m", "pip_audit", "--requirement", file, "--require-hashes", "--disable-pip"]
    command += ["--progress-spinner", "off", "--timeout", "15", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return Answer(reason=last.split(":")[0][:100])
    skipped = [package for package in packages if "skip_reason" in package]
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in packages
        for fault in package.get("vulns", ())
    ]
    reason = "the database does not know them" if skipped else ""
    return Answer(len(packages), len(skipped), reason, faults)


def _say(severity: str, text: str) -> None:
    """A line that is seen: in a workflow of GitHub's it is an annotation as well."""
    start = f"::{severity}::" if os.environ.get("GITHUB_ACTIONS") else f"{severity.upper()}: "
    sys.stdout.write(f"{start}{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
