"""The repository is what -C names, else RECONCILER_ROOT, else the nearest parent with districts/."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.root import find_root
from reconciler.errors import UsageError


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    for name in ("one", "two", "outer", "outer/inner/deep"):
        (tmp_path / name / "districts").mkdir(parents=True)
    (tmp_path / "outer/inner/mappers").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("explicit", "from_env", "cwd", "expected"),
    [
        pytest.param("one", "two", "outer", "one", id="-C wins"),
        pytest.param(None, "two", "outer", "two", id="then RECONCILER_ROOT"),
        pytest.param(None, None, "outer", "outer", id="then the current folder"),
        pytest.param(None, None, "outer/inner/mappers", "outer", id="then the nearest parent"),
        pytest.param(
            None, None, "outer/inner/deep/districts", "outer/inner/deep", id="from districts/ itself"
        ),
    ],
)
def test_the_root_is_found(
    explicit: str | None, from_env: str | None, cwd: str, expected: str, repositories: Path
) -> None:
    named = [repositories / name if name else None for name in (explicit, from_env)]
    assert find_root(named[0], named[1], repositories / cwd) == (repositories / expected).resolve()


def test_a_relative_root_is_taken_from_the_current_folder(repositories: Path) -> None:
    assert find_root(Path("../one"), None, repositories / "two") == (repositories / "one").resolve()


@pytest.mark.parametrize(
    ("explicit", "from_env", "words"),
    [
        pytest.param("empty", None, "-C names .*which has no folder districts/", id="-C without districts"),
        pytest.param("gone", None, "-C names .*which is not a folder", id="-C to nowhere"),
        pytest.param(None, "empty", "RECONCILER_ROOT names .*no folder districts/", id="environment"),
        pytest.param(None, None, "no folder districts/ in", id="nowhere"),
    ],
)
def test_a_folder_that_is_no_repository_is_wrong_usage(
    explicit: str | None, from_env: str | None, words: str, repositories: Path
) -> None:
    named = [repositories / name if name else None for name in (explicit, from_env)]
    with pytest.raises(UsageError, match=words) as caught:
        find_root(named[0], named[1], repositories / "empty")
    assert caught.value.hint
