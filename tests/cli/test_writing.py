"""A file is written whole or not at all, inside the repository, and never through a link or over another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.cli.writing.files import create_text, replace_text
from reconciler.errors import ConfigError, UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_new_file_gets_its_folders_and_the_usual_permissions(root: Path) -> None:
    path = root / "districts/tx/oak.yaml"
    before = os.umask(0o027)
    try:
        create_text(path, "é\n", root=root)
    finally:
        os.umask(before)
    assert path.read_bytes() == "é\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert left_in(path.parent) == ["oak.yaml"]


@pytest.mark.parametrize("links", [True, False], ids=["with hard links", "without"])
def test_a_file_that_is_there_stays(root: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "no links here")))
    path = root / "oak.yaml"
    create_text(path, "one", root=root)
    with pytest.raises(UsageError, match="is there already"):
        create_text(path, "two", root=root)
    assert (path.read_text(), left_in(root)) == ("one", ["oak.yaml"])


def test_a_link_is_not_written_through(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (root / "oak.yaml").symlink_to(elsewhere)
    (root / "districts").symlink_to(tmp_path)
    for write in (create_text, replace_text):
        for path in (root / "oak.yaml", root / "districts/elsewhere", root / "../elsewhere"):
            with pytest.raises(ConfigError) as refused:
                write(path, "new", root=root)
            assert refused.value.code == "config.write"
    assert elsewhere.read_text() == "kept"
    assert left_in(tmp_path) == ["elsewhere", "root"]


def test_a_failure_leaves_the_old_file_and_nothing_else(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "oak.yaml"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="no space left on device"):
        replace_text(path, "new", root=root)
    assert (path.read_text(), left_in(root)) == ("old", ["oak.yaml"])
