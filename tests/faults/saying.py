"""A line on the terminal from within a test: the figure that was measured."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

Say = Callable[[str], None]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Writes to standard error, which reaches the terminal from pytest's workers too."""

    def write(line: str) -> None:
        with capfd.disabled():
            sys.stderr.write(f"{line}\n")

    return write
