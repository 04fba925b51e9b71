"""`{file: PATH}`: files of one folder, symbolic links resolved, nothing outside it."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from reconciler.errors import SecretError
from reconciler.secrets.context import SecretContext

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024
"""No key or password is longer; a larger file is something else."""


class FileProvider:
    """Reads files below the secrets folder. A relative path starts there.

    `never` is a file that is no district's, though it may lie there: the identity that opens sealed secrets.
    """

    def __init__(self, folder: Path, never: Path | None = None) -> None:
        self._folder = folder
        self._never = never
        self._warned = False

    def __call__(self, path: str, context: SecretContext) -> str:
        """The file's text, one trailing newline removed. Raises SecretError `secret.bound` or `.missing`."""
        found = self._inside(path)
        try:
            data, mode = _read(found)
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise _missing(path, context, _fault(error)) from None  # the error may quote the bytes
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise _missing(path, context, "is empty")
        self._warn(path, mode)
        return text

    def _warn(self, path: str, mode: int) -> None:
        """Once a run: thousands of files in one folder mostly have the same rights."""
        if mode & stat.S_IROTH and not self._warned:
            self._warned = True
            log.warning(
                "the secret file %s can be read by every user of this machine (mode %04o); use mode 0400",
                path, stat.S_IMODE(mode),
            )  # fmt: skip

    def _inside(self, path: str) -> Path:
        try:
            folder = self._folder.resolve()
            found = (folder / path).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
            raise self._outside(path) from error
        if folder not in found.parents:
            raise self._outside(path)
        if self._never is not None and _is_same(found, self._never):
            raise SecretError(
                f"the file {path} opens sealed secrets, and is no district's",
                code="secret.bound",
                hint="name the file of this district's own secret; keep the identity in another folder",
            )
        return found

    def _outside(self, path: str) -> SecretError:
        return SecretError(
            f"the secret file {path} does not lie under {self._folder}",
            code="secret.bound",
            hint="put it there, or set RECONCILER_SECRETS_DIR where reconciler runs",
        )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one == other.resolve() or one.samefile(other)
    except OSError:
        return False


def _read(path: Path) -> tuple[bytes, int]:
    """The content and the mode of the file that was read."""
    # Opened once and checked on the open file: what a path leads to can change; a pipe must not block.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError("it is not a regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(f"it is larger than {MAX_BYTES // 1024} KiB")
    return data, mode


def _fault(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8 text"
    return f"cannot be read: {error.strerror or error}"


def _missing(path: str, context: SecretContext, fault: str) -> SecretError:
    return SecretError(
        f"the secret file {path} of district {context.district} {fault}",
        hint="check that the file is mounted and readable where reconciler runs",
    )
