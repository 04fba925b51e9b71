"""A file from an open handle onto the disk: the whole of it or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from reconciler.errors import SftpError


def save(chunks: Iterable[bytes | memoryview], to: Path) -> str:
    """Writes the chunks to `to` and returns their SHA-256 in hex.

    The bytes go to a private temporary file beside it (mode 0600), reach the disk, and take the name last:
    `to` never holds a part. What `chunks` raises passes through; the disk's own errors are SftpError
    `sftp.local-file`.
    """
    digest = hashlib.sha256()
    with _replacing(to) as file:
        for chunk in chunks:
            digest.update(chunk)
            with _local_errors(to):
                file.write(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def _replacing(to: Path) -> Iterator[BinaryIO]:
    with _local_errors(to):
        descriptor, name = tempfile.mkstemp(dir=to.parent, prefix=".download-", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            with _local_errors(to):
                file.flush()
                os.fsync(file.fileno())
        with _local_errors(to):
            temporary.replace(to)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _local_errors(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SftpError(
            f"cannot write the download to {to.parent}: {error.strerror or type(error).__name__}",
            code="sftp.local-file",
            hint="check free space and permissions of the temporary folder",
        ) from error
