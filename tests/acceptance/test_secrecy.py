"""No secret in any output, log, plan or database file; no child's data in reports."""

from __future__ import annotations

import base64
import urllib.parse
from pathlib import Path

import psycopg
import pyrage
import pytest
from sqlalchemy import make_url

from reconciler.secrets.context import SecretContext
from reconciler.secrets.sealing import seal
from tests.acceptance.world import World, contacts_csv, students_csv

PASSWORD = "kw/Zeta+Canary=77 %&"
CHILD = "Xyzzyborough"


def forms(secret: str) -> set[str]:
    """A secret as it is, in base64, and as a URL has it."""
    raw = secret.encode()
    return {
        secret,
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        urllib.parse.quote(secret),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        repr(secret)[1:-1],
    }


def dump(url: str, tmp_path: Path) -> str:
    """Everything that the database holds, as text."""
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite"):
        return "".join(
            p.read_bytes().decode("latin-1")
            for p in sorted(Path(str(parsed.database)).parent.glob("state.db*"))
        )
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in tables]
    return str(rows)


def sealed(world: World, secret: str) -> str:
    """A sealed secret of the district oak, its identity where the program looks for it."""
    identity = pyrage.x25519.Identity.generate()
    world.environment["RECONCILER_AGE_IDENTITY"] = str(identity)
    login = SecretContext("oak", "127.0.0.1", world.server.port, "oak")
    return seal(secret, login, [identity.to_public()])


@pytest.mark.parametrize("trouble", [False, True], ids=["all well", "login refused"])
def test_no_form_of_a_sealed_secret_is_anywhere_nor_its_text_in_any_report(
    world: World, tmp_path: Path, trouble: bool
) -> None:
    text = sealed(world, PASSWORD)
    reference = {"age": text, "next": sealed_again(world, text)}
    world.district("oak", schools=["0042"], password=PASSWORD, sftp={"password": reference})
    world.put("oak", {"students.csv": students_csv(5)})
    if trouble:
        world.server.accounts.clear()
    said = ""
    for command in (
        ["validate"], ["plan"], ["plan", "--format", "json"], ["test", "oak", "--format", "json"],
        ["reconcile", "--format", "json"], ["sync"], ["status", "oak", "--format", "json"],
        ["history", "--format", "json"],
    ):  # fmt: skip
        done = world.run("--log-level", "debug", *command)
        said += done.out + done.err
    lines = text.splitlines()[1:-1]
    assert [line for line in lines if line in said] == []
    everything = said + dump(world.database_url, tmp_path)
    identity = world.environment["RECONCILER_AGE_IDENTITY"]
    assert {form for form in (*forms(PASSWORD), *identity.split()) if form in everything} == set()
    assert "age (sealed)" in said


def sealed_again(world: World, text: str) -> str:
    """The same secret under another text, that the same identity opens."""
    before = world.environment["RECONCILER_AGE_IDENTITY"]
    again = sealed(world, PASSWORD)
    world.environment["RECONCILER_AGE_IDENTITY"] += f"\n{before}"
    assert again != text
    return again


@pytest.mark.parametrize("trouble", [False, True], ids=["all well", "login refused"])
def test_no_form_of_a_secret_is_anywhere(world: World, tmp_path: Path, trouble: bool) -> None:
    world.district("oak", schools=["0042"], password=PASSWORD)
    world.put("oak", {"students.csv": students_csv(5), "contacts.csv": contacts_csv(5)})
    if trouble:
        world.server.accounts.clear()
    outputs = []
    for level in ("debug", "info"):
        for command in (
            ["validate"], ["plan"], ["plan", "--format", "json"], ["test", "oak"], ["reconcile"],
            ["reconcile", "--format", "json"], ["sync"], ["status"], ["status", "oak", "--format", "json"],
            ["history", "--format", "json"], ["rejects", "oak"], ["schools", "oak"],
        ):  # fmt: skip
            done = world.run("--log-level", level, *command)
            outputs.append(done.out + done.err)
    everything = "\n".join(outputs) + dump(world.database_url, tmp_path)
    assert {form for form in forms(PASSWORD) if form in everything} == set()
    assert "SFTP_OAK_PASSWORD" in everything


def test_reports_hold_no_childs_data(world: World) -> None:
    world.district("oak", schools=["0042"])
    header, *rows = students_csv(40).splitlines()
    spoiled = [
        header,
        *(r.replace("Last", CHILD) for r in rows),
        f'41,0042,"{CHILD}',
        f",0042,{CHILD},{CHILD},5,x",
    ]
    world.put(
        "oak",
        {"students.csv": "\n".join(spoiled) + "\n", "contacts.csv": contacts_csv(40).replace("Last", CHILD)},
    )
    said = ""
    for command in (
        ["reconcile"], ["sync"], ["status"], ["status", "oak"], ["history"], ["schools", "oak"],
        ["rejects", "oak", "--format", "json"], ["plan", "--format", "json"],
    ):  # fmt: skip
        done = world.run("--log-level", "debug", *command)
        said += done.out + done.err
    assert CHILD not in said
    assert "students.csv" in said


def test_a_literal_password_is_refused_without_being_repeated(world: World) -> None:
    path = world.district("oak", schools=["0042"])
    path.write_text(
        path.read_text().replace('{\n      "env": "SFTP_OAK_PASSWORD"\n    }', '"hunter2-canary"')
    )
    done = world.run("validate")
    assert done.code == 1
    assert "hunter2" not in done.out + done.err
    assert "sftp.password" in done.out


@pytest.mark.parametrize(
    "reference",
    [{"env": "SFTP_ELM_PASSWORD"}, {"env": "HOME"}],
    ids=["another district's", "of no district"],
)
def test_a_secret_of_somebody_else_is_refused_before_any_connection(
    world: World, reference: dict[str, str]
) -> None:
    world.district("elm", schools=["0042"])
    world.district("oak", schools=["0042"], sftp={"password": reference})
    (world.root / "districts" / "elm.yaml").unlink()
    done = world.run("reconcile", "--format", "json")
    assert done.code == 1
    assert done.json["results"][0]["error"]["code"] == "secret.bound"
    assert world.seen == []


def test_a_secret_file_outside_the_secrets_folder_is_refused(world: World, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (tmp_path / "elsewhere").write_text("x")
    (secrets / "link").symlink_to(tmp_path / "elsewhere")
    world.environment["RECONCILER_SECRETS_DIR"] = str(secrets)
    for place in (tmp_path / "elsewhere", secrets / "link", secrets / ".." / "elsewhere"):
        world.district("oak", schools=["0042"], sftp={"password": {"file": str(place)}})
        assert world.json("test", "oak")[0]["error"]["code"] == "secret.bound"
    assert world.seen == []
