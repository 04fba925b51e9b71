"""Every test of this folder has to leave no thread of the client behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import paramiko
import pytest


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    yield
    kinds = (paramiko.Transport, threading.Timer)
    left = [t for t in threading.enumerate() if isinstance(t, kinds) or t.name.startswith("sftp-")]
    assert left == []
