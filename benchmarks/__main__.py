"""`python -m benchmarks [--students N] [--only PART,…]`: a table, and benchmarks/latest.json."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import config, listing, memory, peers, sftp, sync
from benchmarks.measured import Measured, table

Part = Callable[[int, Path], Iterator[Measured]]
PARTS: dict[str, Part] = {
    "sync": sync.measure,
    "listing": listing.measure,
    "memory": memory.measure,
    "peers": peers.measure,
    "sftp": sftp.measure,
    "config": config.measure,
}
STUDENTS = 100_000
MEMORY_STUDENTS = {False: 500_000, True: 2_500_000}
"""By whether memory alone was asked for: five million contact rows take many minutes."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--students", type=int, help=f"default {STUDENTS:,}; for memory more")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    found: dict[str, list[Measured]] = {}
    for name in names:
        print(f"measuring {name} …", flush=True)
        found[name] = _measure(name, arguments.students or _students(names, name))
        print(table(found[name]), flush=True)
    _write({"machine": machine(), "parts": {n: [m.as_json() for m in ms] for n, ms in found.items()}})


def _students(names: list[str], name: str) -> int:
    return MEMORY_STUDENTS[names == ["memory"]] if name == "memory" else STUDENTS


def _measure(name: str, students: int) -> list[Measured]:
    """What a part found, up to where it failed: the other parts are measured all the same."""
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        try:
            found.extend(PARTS[name](students, Path(folder)))
        except RuntimeError as error:
            found.append(Measured(f"{name}: not measured to its end", float("nan"), goal=0, note=str(error)))
    return found


def machine() -> dict[str, str]:
    """What the figures depend on besides the program."""
    libraries = {name: version(name) for name in ("duckdb", "psycopg", "paramiko", "cryptography")}
    model = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": f"{len(model)} × {model[0]}" if model else platform.processor(),
        "load": " ".join(_lines("/proc/loadavg")[:1]),
        "ssh": subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr.strip(),
        **libraries,
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def _write(report: dict[str, Any]) -> None:
    """The parts measured now, in the place of those measured before."""
    path = Path(__file__).with_name("latest.json")
    parts: dict[str, Any] = json.loads(path.read_text()).get("parts", {}) if path.exists() else {}
    report["parts"] = {**parts, **report["parts"]}
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
