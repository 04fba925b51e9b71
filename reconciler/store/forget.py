"""What was erased from SQLite's file is not in its bytes any more."""

from __future__ import annotations

import sqlite3
from typing import Any

_PATIENCE_MS = 2000
"""How long to wait for another process to end its reading."""


def forget(driver: Any, *, rewrite: bool) -> bool:
    """Empty the write-ahead log into the file, with `rewrite` written anew before; whether it was done.

    Pages of the log hold rows as they were; `secure_delete` zeroes what is deleted, but not the copies that
    the balancing of a tree leaves in the gaps of its pages.
    """
    before = driver.execute("PRAGMA busy_timeout").fetchone()[0]
    driver.execute("PRAGMA query_only=0")
    driver.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    try:
        if rewrite:
            driver.execute("VACUUM")
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    finally:
        driver.execute(f"PRAGMA busy_timeout={before}")
    return not busy
