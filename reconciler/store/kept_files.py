"""The source rows that are kept for OneRoster's deltas: one compressed file for each file of the mapper.

What is written is written in the transaction of the sync whose rows it belongs to.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, insert, select

from reconciler.roster.packages.kept import KeptFile
from reconciler.roster.reading.reader import BrokenRow
from reconciler.store.tables import SOURCE_FILE

Content = Callable[[str], bytes]
"""A file's name in the mapper to its content: read when it is asked for, for it may be large."""


def kept_files(transaction: Transaction, district: str, content: Content) -> dict[str, KeptFile]:
    """The district's files, by their names in the mapper."""
    columns = [c for c in SOURCE_FILE.c if c.name != "content"]
    query = select(*columns).where(SOURCE_FILE.c.district == district)
    return {
        row.file: KeptFile(
            file=row.file,
            columns=tuple((name, kept) for name, kept in json.loads(row.columns)),
            rows=row.rows,
            sha256=row.sha256,
            content=partial(content, row.file),
            unread=_lines(row.unread),
        )
        for row in transaction.execute(query)
    }


def content(transaction: Transaction, district: str, file: str) -> bytes:
    """The content of one file; empty where it is not there any more."""
    query = select(SOURCE_FILE.c.content).where(
        SOURCE_FILE.c.district == district, SOURCE_FILE.c.file == file
    )
    return bytes(transaction.execute(query).scalar() or b"")


def replace(transaction: Transaction, district: str, files: Sequence[KeptFile]) -> None:
    """Make these the district's files. One that is there as it is, is not written again."""
    query = select(SOURCE_FILE.c.file, SOURCE_FILE.c.sha256, SOURCE_FILE.c.columns, SOURCE_FILE.c.unread)
    there = {row.file: row for row in transaction.execute(query.where(SOURCE_FILE.c.district == district))}
    wanted = {file.file: _values(file) for file in files}
    for name, row in there.items():
        values = wanted.get(name)
        if values and all(getattr(row, key) == values[key] for key in ("sha256", "columns", "unread")):
            del wanted[name]
        else:
            one = delete(SOURCE_FILE).where(SOURCE_FILE.c.district == district, SOURCE_FILE.c.file == name)
            transaction.execute(one)
    for file in (f for f in files if f.file in wanted):
        values = {"district": district, **wanted[file.file], "content": file.content()}
        transaction.execute(insert(SOURCE_FILE).values(values))


def _values(file: KeptFile) -> dict[str, Any]:
    return {
        "file": file.file,
        "columns": json.dumps(file.columns, ensure_ascii=False),
        "rows": file.rows,
        "sha256": file.sha256,
        "unread": _packed(file.unread),
    }


def _packed(lines: Sequence[BrokenRow]) -> bytes | None:
    text = json.dumps([asdict(line) for line in lines], ensure_ascii=False)
    return gzip.compress(text.encode(), mtime=0) if lines else None


def _lines(packed: bytes | None) -> tuple[BrokenRow, ...]:
    found = json.loads(gzip.decompress(packed)) if packed else []
    return tuple(BrokenRow(**{**line, "cells": tuple(line["cells"])}) for line in found)
