"""`db`: what is printed for the owner of the database, and what needs no database at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.store.revisions import REVISIONS


def test_grants_are_printed_without_a_database_or_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILER_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x")
    assert run(["db", "grant", "--role", "app", "--reader", "viewer"]) == 0
    out = capsys.readouterr().out
    assert out.count("BEGIN;\n") == out.count("COMMIT;\n") == 2
    assert 'GRANT SELECT, INSERT ON run_result TO "app";' in out
    assert 'GRANT SELECT ON run_result TO "viewer";' in out
    assert "secret" not in out
    assert list(tmp_path.iterdir()) == []


def test_printing_grants_loads_no_database_library() -> None:
    script = "import sys; from reconciler.cli.main import run; run(['db', 'grant', '--role', 'app'])\n"
    script += "assert not {'sqlalchemy', 'psycopg', 'alembic'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "arguments",
    [["db"], ["db", "frobnicate"], ["db", "grant"], ["db", "grant", "--role", "a$b"]],
    ids=["no command", "no such command", "nobody", "no name"],
)
def test_wrong_usage_ends_with_64(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 64
    assert capsys.readouterr().out == ""


def test_migrate_makes_the_tables_and_says_their_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    (tmp_path / "districts").mkdir()
    for _ in range(2):
        assert run(["-C", str(tmp_path), "--database-url", url, "db", "migrate", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"database": url, "version": REVISIONS[-1]}
