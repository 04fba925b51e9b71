"""Verdicts that a machine remembers: for its own user, outside the repository, and only if nothing is odd."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.config import cache as module
from reconciler.config.cache import Cache
from reconciler.config.copies import Copy

MEMORY = {"ab" * 32: ("104592", "clever", "-"), "cd" * 32: ("0042", "oneroster-1.1", "ef" * 16)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "fleet").mkdir()
    return tmp_path / "fleet"


@pytest.fixture
def cache(tmp_path: Path, root: Path) -> Cache:
    """A cache that remembers."""
    made = Cache(tmp_path / "home" / "reconciler", root)
    made.remember(MEMORY)
    return made


def file_of(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "home").rglob("verdicts")
    return found


def test_what_is_remembered_is_recalled(cache: Cache) -> None:
    assert cache.recall() == MEMORY


def test_a_repository_has_a_memory_of_its_own(cache: Cache, tmp_path: Path) -> None:
    assert Cache(tmp_path / "home" / "reconciler", tmp_path).recall() == {}


def test_only_the_user_may_look_into_it(cache: Cache, tmp_path: Path) -> None:
    file = file_of(tmp_path)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_but_the_memory_is_left_behind(cache: Cache, tmp_path: Path) -> None:
    cache.remember({})
    assert [path.name for path in file_of(tmp_path).parent.iterdir()] == ["verdicts"]
    assert cache.recall() == {}


def rewritten(body: bytes) -> Callable[[Path], None]:
    """A file with the digest that belongs to this content."""
    return lambda file: file.write_bytes(module._digest(body) + b"\n" + body) and None


def by_a_link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def by_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


SPOILED: dict[str, Callable[[Path], object]] = {
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-3]),
    "empty": lambda file: file.write_bytes(b""),
    "one letter altered": lambda file: file.write_bytes(file.read_bytes().replace(b"clever", b"clevar")),
    "a word too many": rewritten(b"ab 1 clever - cd"),
    "a word too few": rewritten(b"ab 1 clever -\ncd 2 clever"),
    "not text": rewritten(b"\xff\xfe"),
    "others may write the file": lambda file: file.chmod(0o666),
    "others may write the folder": lambda file: file.parent.chmod(0o777),
    "a link": by_a_link,
    "a pipe": by_a_pipe,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_what_is_not_as_it_was_written_counts_as_nothing(
    cache: Cache, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(file_of(tmp_path))
    assert cache.recall() == {}


def test_a_memory_inside_the_repository_is_neither_read_nor_written(tmp_path: Path, root: Path) -> None:
    inside = Cache(root / ".cache" / "reconciler", root)
    inside.remember(MEMORY)
    assert list(root.iterdir()) == []
    outside = Cache(tmp_path / "home", root)
    outside.remember(MEMORY)
    (tmp_path / "home").rename(root / "planted")
    assert Cache(root / "planted", root).recall() == {}


def test_a_folder_that_leads_into_the_repository_is_inside_it(tmp_path: Path, root: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    Cache(tmp_path / "link" / "reconciler", root).remember(MEMORY)
    assert list(root.iterdir()) == []


def test_a_machine_that_refuses_to_remember_is_left_alone(tmp_path: Path, root: Path) -> None:
    (tmp_path / "home").write_text("a file")
    refused = Cache(tmp_path / "home" / "reconciler", root)
    refused.remember(MEMORY)
    assert refused.recall() == {}


def test_what_could_be_taken_for_something_else_is_not_remembered(cache: Cache) -> None:
    cache.remember({**MEMORY, "ef" * 32: ("10 45", "clever", "-")})
    assert cache.recall() == MEMORY


def test_an_unchanged_memory_is_not_written_again(cache: Cache, tmp_path: Path) -> None:
    before = file_of(tmp_path).stat().st_ino
    cache.remember(cache.recall())
    assert file_of(tmp_path).stat().st_ino == before


def test_of_two_who_write_at_once_one_is_last_and_whole(tmp_path: Path, root: Path) -> None:
    def write(name: str) -> bool:
        """Whether whatever is recalled meanwhile is one of the two memories, whole."""
        memory = {f"{name}-{n}": (str(n), "clever", "-") for n in range(500)}
        seen = []
        for _ in range(30):
            writer = Cache(tmp_path / "home", root)
            writer.remember(memory)
            seen.append(writer.recall())
        return all(len({key[0] for key in one}) == 1 and len(one) == 500 for one in seen)

    other = Copy(lambda: write("a"))
    assert write("b")
    assert other.result()
