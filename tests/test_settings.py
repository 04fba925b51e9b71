"""Where the environment lets a machine remember, and where it lets it work."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.settings import Settings, temporary_folder

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


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({"TMPDIR": "a", "TEMP": "b"}, "a", id="TMPDIR first"),
        pytest.param({"TMPDIR": "", "TEMP": "b", "TMP": "a"}, "b", id="empty counts as unset"),
        pytest.param({"TMPDIR": "gone", "TMP": "a"}, "a", id="a folder that is not there is passed over"),
        pytest.param({"TMPDIR": "file", "TMP": "a"}, "a", id="a file is passed over"),
    ],
)
def test_temporary_files_go_where_the_environment_says(
    environ: dict[str, str], expected: str, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    named = {key: str(tmp_path / value) if value else "" for key, value in environ.items()}
    assert temporary_folder(named) == tmp_path / expected
    assert not list((tmp_path / expected).iterdir())


def test_without_a_word_temporary_files_go_to_the_systems_folder() -> None:
    assert temporary_folder({}) == Path("/tmp")
