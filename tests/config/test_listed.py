"""Files that are hashed while the program is still being loaded: the answer is the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.config import listed as listing
from reconciler.config.copies import Copy, Draw
from reconciler.config.fleet import Fleet, load_fleet
from reconciler.config.listed import Listed, list_early
from reconciler.errors import ConfigError
from tests.config.repository import district

SETTINGS = b"policy: {retire_after_days: 9}\n"


@pytest.fixture
def two_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "how_many", lambda work, worth: 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(200):
        district(tmp_path, f"d{number:03d}")
    return tmp_path


def fleet(root: Path, listed: Listed | None) -> Fleet:
    return load_fleet(root, mappers=None, listed=listed)


def open_handles() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def children() -> set[str]:
    """This process's own, those that ended and were not waited for among them."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split())


def test_each_number_is_drawn_once_whoever_draws() -> None:
    draw = Draw(Draw.MOST)
    copies = [Copy(lambda: list(draw)) for _ in range(3)]
    numbers = list(draw)
    for copy in copies:
        # A copy that failed would do its work here, and find no number left.
        numbers += copy.result()
    draw.close()
    assert sorted(numbers) == list(range(Draw.MOST))


def test_copies_say_of_every_file_what_one_process_says(root: Path, two_copies: None) -> None:
    alone = [(f.stem, text) for f, text in _said(root, copies=False)]
    assert [(f.stem, text) for f, text in _said(root, copies=True)] == alone
    assert len(alone) == 200


def _said(root: Path, *, copies: bool) -> list[tuple[listing.FoundFile, str]]:
    listed = Listed(root, None)
    if not copies:
        while listed._copies:
            listed._copies.pop().give_up()
    return [(source.file, source.fingerprint) for source in listed.sources()]


def test_what_a_killed_copy_drew_is_hashed_all_the_same(
    root: Path, two_copies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [text for _, text in _said(root, copies=False)]
    ours, hash_piece = os.getpid(), Listed._hashed

    def die(self: Listed, piece: list[listing.FoundFile]) -> list[str]:
        if os.getpid() != ours:
            os._exit(9)
        return hash_piece(self, piece)

    monkeypatch.setattr(Listed, "_hashed", die)
    assert [text for _, text in _said(root, copies=True)] == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, SETTINGS), (SETTINGS, None), (SETTINGS, b"policy: {}\n")],
    ids=["settings appear", "settings go", "settings change"],
)
def test_settings_that_changed_since_the_listing_count_as_they_are_now(
    root: Path, before: bytes | None, after: bytes | None
) -> None:
    path = root / "reconciler.yaml"
    if before is not None:
        path.write_bytes(before)
    early = list_early(root)
    path.unlink(missing_ok=True)
    if after is not None:
        path.write_bytes(after)
    assert dict(fleet(root, early).fingerprints) == dict(fleet(root, None).fingerprints)


def test_settings_behind_a_link_are_those_that_are_read(root: Path) -> None:
    (root / "other.yaml").write_bytes(SETTINGS)
    (root / "reconciler.yaml").symlink_to("other.yaml")
    early = fleet(root, list_early(root))
    assert early.settings.policy.retire_after_days == 9
    assert dict(early.fingerprints) == dict(fleet(root, None).fingerprints)


def test_a_pipe_in_the_place_of_the_settings_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "reconciler.yaml")
    with pytest.raises(ConfigError):
        fleet(root, list_early(root))


def test_settings_that_are_wrong_leave_no_process_and_no_handle_behind(root: Path, two_copies: None) -> None:
    (root / "reconciler.yaml").write_text("policy: [")
    before = open_handles(), children()
    with pytest.raises(ConfigError):
        fleet(root, list_early(root))
    assert (open_handles(), children()) == before
