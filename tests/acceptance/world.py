"""Builds fleets and runs the program on them, as a person would: through its command line."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from reconciler.cli.main import run
from reconciler.demo.server import Account, LocalSftpServer
from tests import canaries


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        """Standard output as CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))


class World:
    """A repository in `root`, files on an SFTP server under `exports`, and a database."""

    def __init__(self, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch):
        self.root = folder / "fleet"
        self.exports = folder / "exports"
        self.database_url = database_url
        self.seen: list[tuple[str, str]] = []
        self.environment: dict[str, str] = {"RECONCILER_DATABASE_URL": database_url}
        self._monkeypatch = monkeypatch
        (self.root / "districts").mkdir(parents=True)
        self.exports.mkdir()
        canaries.GUARD.watch(self.exports)
        self.server = LocalSftpServer({}, observer=lambda what, who: self.seen.append((what, who)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.stop()
        known = canaries.known_of(["-C", str(self.root)], self.environment)
        canaries.GUARD.forget(self.exports)
        canaries.search_database(known, self.database_url)

    # -- files ----------------------------------------------------------------------------------------

    def export_of(self, district: str) -> Path:
        """The folder that the district's account sees."""
        folder = self.exports / district
        folder.mkdir(exist_ok=True)
        return folder

    def put(self, district: str, files: Mapping[str, str | bytes]) -> None:
        """Write files into a district's export. None of them looks as if it might still change."""
        for name, content in files.items():
            path = self.export_of(district) / name
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            self.age(path)

    def copy(self, district: str, folder: Path) -> None:
        """Replace a district's export by the CSV files of a folder."""
        shutil.rmtree(self.export_of(district))
        for path in sorted(folder.glob("*.csv")):
            self.put(district, {path.name: path.read_bytes()})

    _clock = 1_700_000_000

    def age(self, path: Path) -> None:
        """Give a file a time of its own, well in the past: as after a nightly upload."""
        World._clock += 60
        os.utime(path, (World._clock, World._clock))

    # -- districts ------------------------------------------------------------------------------------

    def district(
        self,
        name: str,
        mapper: str = "generic",
        schools: Iterable[str] | Mapping[str, str] = (),
        *,
        password: str | None = None,
        sftp: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Path:
        """Write a district's file, and give it an account on the server, its password in the environment."""
        secret = password or f"canary-{name}-Pa55"
        variable = f"SFTP_{name.upper().replace('-', '_')}_PASSWORD"
        self.environment.setdefault(variable, secret)
        self.server.accounts.setdefault(name, Account(self.export_of(name), password=secret))
        mapping = (
            schools
            if isinstance(schools, Mapping)
            else {s: f"school-{s.lower().replace('_', '-')}" for s in schools}
        )
        document = {
            "district": name,
            "name": name.replace("-", " ").title(),
            "account": f"{sum(name.encode()) * 7919 % 100_000}-{name}"[:20],
            "sftp": {
                "host": "127.0.0.1", "port": self.server.port, "username": name,
                "password": {"env": variable}, "host_key": self.server.fingerprint, **(sftp or {}),
            },
            "mapper": mapper,
            "schools": [{"sis_id": k, "school": v} for k, v in mapping.items()],
            **more,
        }  # fmt: skip
        document["sftp"] = {k: v for k, v in document["sftp"].items() if v is not None}
        return self.write(name, document)

    def write(self, name: str, document: Mapping[str, Any]) -> Path:
        """Write a district's file; JSON is YAML enough."""
        path = self.root / "districts" / f"{name}.yaml"
        path.write_text(json.dumps(document, indent=2))
        return path

    def policy(self, **policy: Any) -> None:
        """Write reconciler.yaml."""
        (self.root / "reconciler.yaml").write_text(json.dumps({"policy": policy}))

    # -- the program ----------------------------------------------------------------------------------

    def run(self, *arguments: str) -> Done:
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(["-C", str(self.root), *arguments])
        return Done(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: str) -> Any:
        """What a command reports as JSON, whatever its exit code."""
        return self.run(*arguments, "--format", "json").json

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", "-C", str(self.root), *arguments],
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    # -- what is stored -------------------------------------------------------------------------------

    def export(self, entity: str, *options: str) -> list[dict[str, str]]:
        """The active rows."""
        return self.run("export", entity, *options).rows

    def everything(self) -> dict[str, list[dict[str, str]]]:
        """All active rows of all entities."""
        return {e: self.export(e) for e in ("students", "contacts", "relationships", "staff")}

    def status(self, district: str) -> dict[str, Any]:
        """One district's line of `status`."""
        (found,) = self.json("status", district)
        return dict(found)


def result_of(report: Mapping[str, Any], district: str) -> dict[str, Any]:
    """One district's result in a report of `reconcile` or `sync`."""
    (found,) = [r for r in report["results"] if r["district"] == district]
    return dict(found)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file as a text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def students_csv(count: int, *, school: str = "0042", first: int = 1, grade: str = "05") -> str:
    """A students.csv of the generic layout."""
    header = ("id", "school", "first_name", "last_name", "grade", "birth_date")
    rows = [(f"{n:05d}", school, f"First{n}", f"Last{n}", grade, f"2012-{n % 12 + 1:02d}-{n % 28 + 1:02d}")
            for n in range(first, first + count)]  # fmt: skip
    return csv_text(header, rows)


def contacts_csv(count: int, *, first: int = 1) -> str:
    """A contacts.csv of the generic layout: one parent for each student, siblings apart."""
    header = ("student", "name", "relationship", "phone", "may_pick_up")
    rows = [(f"{n:05d}", f"Parent{n} Last{n}", "Mother", f"555010{n:04d}", "yes" if n % 2 else "")
            for n in range(first, first + count)]  # fmt: skip
    return csv_text(header, rows)
