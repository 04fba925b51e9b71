"""Plan files on the disk: written whole or not at all, and read as what anybody may have written."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from reconciler.errors import PlanError, UsageError
from reconciler.planning.saved_plan import SavedPlan, read_plan, unusable

MAX_BYTES = 256 * 1024 * 1024
"""Ten times the plan that creates 13,000 districts."""


def check_place(path: Path) -> None:
    """Raise UsageError where no plan can be written: better before districts are asked than after."""
    try:
        if path.exists() and not path.is_file():
            raise UsageError(
                f"{path} is no file that could be replaced", code="usage.out", hint="name a new file"
            )
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES if path.parent.is_dir() else errno.ENOENT, "")
    except OSError as error:
        raise _not_written(path, error) from error


def write_plan_file(path: Path, saved: SavedPlan) -> None:
    """Write the file in one step; an older one at the path stays until then. Raises UsageError."""
    check_place(path)
    beside = path.with_name(f".{secrets.token_hex(8)}.plan")
    text = json.dumps(saved.to_json(), indent=1, ensure_ascii=True)
    try:
        with beside.open("x", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the plan cannot be written to {path}: {os.strerror(error.errno or errno.EIO)}",
        code="usage.out",
        hint="choose a file in a folder that exists and may be written to",
    )


def read_plan_file(path: Path) -> SavedPlan:
    """The plan in a file. Raises PlanError plan.file, which never quotes it."""
    try:
        return read_plan(json.loads(_read(path), object_pairs_hook=_once, parse_constant=_no_number))
    except OSError as error:
        raise PlanError(
            f"the plan file {path} cannot be read: {error.strerror or error}; nothing was done",
            code="plan.file",
            hint="name a file that `reconciler plan --out FILE` has written",
        ) from error
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or nested without an end
        raise unusable("is no JSON, or was cut") from None


def _read(path: Path) -> bytes:
    # Opened once and checked on the open file; a pipe must not block.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no regular file")
        if found.st_size > MAX_BYTES:
            raise OSError(f"it is larger than {MAX_BYTES >> 20} MiB")
        return file.read(MAX_BYTES)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is written twice")
    return found


def _no_number(_: str) -> Any:
    raise ValueError("no number")
