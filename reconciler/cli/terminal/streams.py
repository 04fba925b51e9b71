"""Standard output and error where they fail: a reader who has left, a full disk, a locale without letters."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from reconciler.errors import OutputError

_PATIENCE = 100
"""Writes that nobody reads before a command is stopped: a report is one, an export has no end."""


class Output:
    """A text stream that a reader may leave at any time, and whose failures are errors in words."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._lost = 0
        """How often something was written that went nowhere."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Raises OutputError, and BrokenPipeError only where much more is written after the reader left.

        So a run whose report nobody reads still ends with its own exit code, and an export ends soon.
        """
        if not isinstance(text, str):
            raise TypeError("this stream takes text")  # so click learns that it takes no bytes
        if not text:
            return 0  # a full disk refuses even nothing, and click asks with nothing whether it may write
        if self._lost:
            self._lost += 1
            if self._lost > _PATIENCE:
                raise BrokenPipeError
            return len(text)
        with self._failing():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Raises OutputError."""
        if not self._lost:
            with self._failing():
                self._stream.flush()

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self._abandon()
        except OSError as error:
            self._abandon()
            raise OutputError(
                f"the report cannot be written: {(error.strerror or 'unknown reason').lower()}",
                hint="what was done stays done: `reconciler history` shows it; make space and ask again",
            ) from None

    def _abandon(self) -> None:
        """Let what is left in the buffers go nowhere, so that the interpreter's last flush cannot fail."""
        self._lost = 1
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


class Messages(Output):
    """Standard error: where it fails too, there is nobody left to tell."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OutputError, BrokenPipeError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OutputError):
            super().flush()


@contextlib.contextmanager
def guarded_streams() -> Iterator[None]:
    """Standard output and error as above, for as long as the program runs."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Output(out), Messages(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def prepare_streams() -> None:
    """Once for a process: what is closed leads nowhere, and what no terminal reads is UTF-8 in any locale.

    A descriptor that the caller closed would be given to the next file that is opened: to the database.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding=None if stream.isatty() else "utf-8",
                errors="backslashreplace",
            )
