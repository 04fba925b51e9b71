"""Equal fingerprints are a promise that two files read alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config import fingerprint
from reconciler.config.fingerprint import Fingerprints, fingerprint_of_mappers


@pytest.fixture(autouse=True)
def _fresh() -> None:
    fingerprint._reader_digest.cache_clear()


def test_bytes_id_and_settings_make_another_fingerprint() -> None:
    made = {
        Fingerprints(b"").of("oak", b"name: Oak"),
        Fingerprints(b"").of("oak", b"name: Oak "),
        Fingerprints(b"").of("elm", b"name: Oak"),
        Fingerprints(b"policy: {}").of("oak", b"name: Oak"),
    }
    assert len(made) == 4


@pytest.mark.parametrize("name", ["district", "mapper"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("__version__", "9.9.9"), id="the program's version"),
        pytest.param(("_libraries", lambda: iter(["pyyaml-9.dist-info"])), id="a library"),
        pytest.param(("_sources", lambda *_: iter([Path(__file__)])), id="the program's text"),
    ],
)
def test_a_program_that_could_read_otherwise_makes_another_one(
    name: str, change: tuple[str, object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def made() -> str:
        fingerprint._reader_digest.cache_clear()
        return Fingerprints(b"").of("oak", b"") if name == "district" else fingerprint_of_mappers(tmp_path)

    before = made()
    monkeypatch.setattr(fingerprint, *change)
    assert made() != before


def test_the_libraries_that_take_part_are_found() -> None:
    found = {name.partition("-")[0] for name in fingerprint._libraries()}
    assert found == {"croniter", "jsonschema", "pyyaml", "tzdata"}


def test_a_mapper_of_the_repository_makes_another_one(tmp_path: Path) -> None:
    made = [fingerprint_of_mappers(tmp_path)]
    (tmp_path / "mappers").mkdir()
    for name, text in (("a.json", "{}"), ("b.json", "{}"), ("a.json", "{ }")):
        (tmp_path / "mappers" / name).write_text(text)
        made.append(fingerprint_of_mappers(tmp_path))
    (tmp_path / "mappers" / "b.json").rename(tmp_path / "mappers" / "c.json")
    made.append(fingerprint_of_mappers(tmp_path))
    assert len(set(made)) == len(made)


def test_mappers_that_cannot_be_read_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprint_of_mappers(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(PermissionError()))
    assert fingerprint_of_mappers(tmp_path) == ""
