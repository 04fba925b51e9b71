"""sqlite-utils' upsert of the two files.

`.venv-bench/bin/python benchmarks/peer_sqlite_utils.py FOLDER STATE`
"""

from __future__ import annotations

import csv
import sys
from importlib.metadata import version
from pathlib import Path

KEYS = {"students": "id", "contacts": ("student", "name", "phone")}


def main() -> None:
    import sqlite_utils

    folder, state = Path(sys.argv[1]), Path(sys.argv[2])
    database = sqlite_utils.Database(state / "sqlite-utils.db")
    for name, key in KEYS.items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            database[name].upsert_all(csv.DictReader(file), pk=key)
    print(version("sqlite-utils"))


if __name__ == "__main__":
    main()
