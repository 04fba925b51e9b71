"""What README and docs/ show is what the program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.cli.main import group, run
from reconciler.demo.fleet import redirected
from reconciler.demo.stage import Stage, stage
from reconciler.sftp.hostkey import parse
from tests.demo.pages import Page

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_ACCEPTED = re.compile(r"--accept-host-key (SHA256:\S+)")
_PIN = re.compile(r"host_key: (ssh-ed25519 \S+)")


def connected(there: Stage, text: str) -> Page:
    """A page in an empty folder beside the demo's, its districts led to the demo's server."""
    folder = there.repository.parent / "page"
    folder.mkdir()
    pin = _PIN.findall(text)[0]
    instead = {
        there.address.host_key: pin,
        _fingerprint(there.address.host_key): _fingerprint(pin),
        f"    sftp.port: {there.address.port}\n": "",  # 22, as everywhere, is not shown
        f"127.0.0.1:{there.address.port}": "sftp.riverbend.example:22",
        "127.0.0.1": "sftp.riverbend.example",
    }

    def restore(printed: str) -> str:
        for found, shown in instead.items():
            printed = printed.replace(found, shown)
        return printed

    return Page(folder, there.environment, lambda file: redirected(file, there.address), restore)


def asking_a_server(there: Stage, text: str) -> Page:
    """A page whose commands name a server: they are led to the demo's."""
    folder = there.repository.parent / "page"
    (folder / "districts").mkdir(parents=True)
    shown, key, port = _ACCEPTED.findall(text)[0], _fingerprint(there.address.host_key), there.address.port
    instead = {key: shown, f"    sftp.port: {port}\n": "", f"  port: {port}\n": "  port: 22\n"}
    instead |= {f"127.0.0.1:{port}": "127.0.0.1:22"}

    def retype(line: str) -> str:
        return line.replace(shown, key).replace(
            "--host sftp.riverbend.example", f"--host 127.0.0.1 --port {port}"
        )

    def restore(printed: str) -> str:
        for found, said in instead.items():
            printed = printed.replace(found, said)
        return printed.replace("127.0.0.1", "sftp.riverbend.example")

    return Page(folder, there.environment, restore=restore, retype=retype)


def _fingerprint(key: str) -> str:
    parsed = parse(key)
    assert parsed is not None
    return parsed.fingerprint


def checked(file: Path, text: str, now: str) -> None:
    """Fail where the page is not as it ought to be; with UPDATE_PAGES=1 in the environment, write it."""
    if os.environ.get("UPDATE_PAGES") == "1":
        file.write_text(now, encoding="utf-8")
    assert text == now, f"{file.name} is not current: run this test with UPDATE_PAGES=1, and look at the diff"


def test_getting_started_leads_from_an_empty_folder_to_a_synced_district() -> None:
    file = ROOT / "docs/getting-started.md"
    text = file.read_text(encoding="utf-8")
    with stage() as there:
        page = connected(there, text)
        now = page.run(text)
    checked(file, text, now)
    assert "reconciler sync" in page.typed


def test_the_page_of_previews_shows_what_is_printed() -> None:
    file = ROOT / "docs/preview.md"
    text = file.read_text(encoding="utf-8")
    with stage() as there:
        page = connected(there, text)
        now = page.run(text)
    checked(file, text, now)
    assert "reconciler reconcile plan.json" in page.typed


def test_the_page_on_authoring_leads_from_an_empty_folder_to_files_from_a_database() -> None:
    file = ROOT / "docs/authoring.md"
    text = file.read_text(encoding="utf-8")
    with stage() as there:
        page = asking_a_server(there, text)
        now = page.run(text)
    checked(file, text, now)
    assert "reconciler -C lost import" in page.typed


def test_a_newcomers_path_leads_from_an_empty_folder_to_a_merged_district() -> None:
    file = ROOT / "docs/onboarding.md"
    text = file.read_text(encoding="utf-8")
    with stage() as there:
        page = asking_a_server(there, text)
        now = page.run(text)
    checked(file, text, now)
    assert page.typed[-1] == "reconciler history --limit 2"


@pytest.mark.parametrize("name", ["README.md", "docs/mapper.md", "docs/defaults.md", "docs/database.md"])
def test_what_the_page_shows_is_what_is_printed(name: str, tmp_path: Path) -> None:
    file = ROOT / name
    text = file.read_text(encoding="utf-8")
    page = Page(tmp_path, {**os.environ, "PYTHONUTF8": "1"})
    checked(file, text, page.run(text))
    assert page.typed != []


def test_the_example_of_reconciler_yaml_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "districts").mkdir()
    text = (ROOT / "docs/district-file.md").read_text(encoding="utf-8")
    Page(tmp_path, {}).run(text)
    assert run(["-C", str(tmp_path), "validate"]) == 0
    assert capsys.readouterr().out == "1 file: valid.\n"


def test_the_table_of_commands_has_them_all() -> None:
    rows = re.findall(r"^\| `(\w+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert [name for name in group.list_commands(click.Context(group)) if name not in rows] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_page_on_district_files_says_what_the_schema_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/district_file.py"), "--check"],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
