"""The floor under all that reads the configuration: a process that reads and hashes every file.

With a database, one SELECT of what is stored of every district is part of it.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from hashlib import sha256


def read_and_hash(folder: str) -> int:
    """How many files there are below the folder; each is read and hashed."""
    found = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                found += read_and_hash(entry.path)
            else:
                with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123 – the least it can cost
                    sha256(file.read()).digest()
                found += 1
    return found


if __name__ == "__main__":
    read_and_hash(sys.argv[1])
    if len(sys.argv) > 2:
        columns = "district, mapper_digest, phase, unfinished, fingerprint"
        sqlite3.connect(sys.argv[2]).execute(f"SELECT {columns} FROM connection").fetchall()
