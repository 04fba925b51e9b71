"""Where the environment lets a machine remember."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.settings import Settings

CASES = {
    "by default": ({"HOME": "/home/ada"}, "/home/ada/.cache/reconciler"),
    "elsewhere": ({"HOME": "/home/ada", "XDG_CACHE_HOME": "/tmp/c"}, "/tmp/c/reconciler"),
    "not by a relative path": ({"HOME": "/home/ada", "XDG_CACHE_HOME": "c"}, "/home/ada/.cache/reconciler"),
    "nowhere without a home": ({}, None),
    "nowhere if it is told so": ({"HOME": "/home/ada", "RECONCILER_NO_CACHE": "1"}, None),
}


@pytest.mark.parametrize(("environment", "folder"), CASES.values(), ids=CASES)
def test_a_machine_remembers(environment: dict[str, str], folder: str | None) -> None:
    assert Settings.from_env(environment).cache == (Path(folder) if folder else None)
