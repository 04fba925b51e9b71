"""What the commands that write new district files share: the folder, and the schema for editors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.cli.app import App
from reconciler.cli.writing.files import create_text
from reconciler.config.district_file import SCHEMA
from reconciler.config.root import DISTRICTS
from reconciler.documents.schema import load_schema


@contextmanager
def begun_repository(app: App) -> Iterator[Path]:
    """The repository's root, where districts/ is made if need be, and taken away again if it stays empty."""
    root = app.new_root
    folder = root / DISTRICTS
    is_new = not folder.exists()
    if is_new:
        folder.mkdir()
    try:
        yield root
    finally:
        # An empty districts/ would mean that every district is gone.
        if is_new:
            with suppress(OSError):
                folder.rmdir()


def schema_path(root: Path, file: Path) -> str:
    """The way from a district's file to the repository's copy of the schema, as editors want it."""
    return Path(os.path.relpath(root / "schemas" / SCHEMA, file.parent)).as_posix()


def place_schema(root: Path) -> str:
    """Put the schema where the editor's line points; returns its path, or nothing where one is there."""
    path = root / "schemas" / SCHEMA
    if path.exists() or path.is_symlink():
        return ""
    create_text(path, json.dumps(load_schema(SCHEMA), indent=2, ensure_ascii=False) + "\n", root=root)
    return path.relative_to(root).as_posix()
