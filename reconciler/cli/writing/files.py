"""Writes files of the configuration repository: whole or not at all, and never through a link."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reconciler.errors import ConfigError, UsageError


def replace_text(path: Path, text: str, *, root: Path) -> None:
    """Replace the content of a file under `root` and keep its permissions.

    Raises ConfigError `config.write` for a link, a file outside, and what the system refuses.
    """
    _refuse_strange(path, root)
    try:
        mode = path.stat().st_mode & 0o7777
        temporary = _written_beside(path, text, mode)
        temporary.replace(path)
    except OSError as error:
        raise _refused(path, error) from error


def create_text(path: Path, text: str, *, root: Path) -> None:
    """Write a new file under `root`, its folders too. A file that is there is never replaced.

    Raises UsageError for such a file, else as `replace_text`.
    """
    _refuse_strange(path, root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(path, error) from error
    umask = os.umask(0)
    os.umask(umask)
    try:
        temporary = _written_beside(path, text, 0o666 & ~umask)
        try:
            _name_anew(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise exists_already(path.name) from None
    except OSError as error:
        raise _refused(path, error) from error


def _name_anew(temporary: Path, path: Path) -> None:
    """Give a file its name, unless another one has it. Raises FileExistsError."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the name is taken first
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        temporary.replace(path)


def exists_already(file: str) -> UsageError:
    """The refusal to write over a file."""
    return UsageError(
        f"{file} is there already, and is not written over",
        code="usage.exists",
        hint="edit it, or remove it first",
    )


def _refuse_strange(path: Path, root: Path) -> None:
    if path.is_symlink():
        raise ConfigError(
            f"{path.name} is a symbolic link, and is not written through",
            code="config.write",
            hint="change the file that it leads to, or put the file itself here",
        )
    if not path.parent.resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"{path} lies outside of {root}, and is not written",
            code="config.write",
            hint="name a file below that folder",
        )


def _written_beside(path: Path, text: str, mode: int) -> Path:
    """A hidden file in the same folder that holds the text, safe on the disk."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink()
        raise
    return temporary


def _refused(path: Path, error: OSError) -> ConfigError:
    reason = (error.strerror or "unknown reason").lower()
    return ConfigError(
        f"{path} cannot be written: {reason}", code="config.write", hint="check the folder's permissions"
    )
