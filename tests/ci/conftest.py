"""A bare repository, a fleet that is pushed to it, and somebody's runners for its workflows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import world
from tests.acceptance.world import World
from tests.ci.forge import Forge
from tests.databases import database_url, empty_database_url, postgres, sqlite_template

__all__ = ["database_url", "empty_database_url", "postgres", "sqlite_template", "world"]


@pytest.fixture
def forge(world: World, tmp_path: Path) -> Forge:
    """The fleet of `world` in git, pushed to a bare repository, with oak on main and nothing reconciled."""
    made = Forge(world, tmp_path)
    made.begin()
    return made
