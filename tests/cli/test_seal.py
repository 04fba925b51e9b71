"""`seal`: reads a secret that nobody sees, and prints what stands in one district's file."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml

from reconciler.cli.main import run
from reconciler.config.district import SecretRef
from reconciler.secrets import SecretResolver
from tests.acceptance.world import Done

SECRET = "hunter2 Canary: \"'é"
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
OAK = """\
district: oak
name: Oak
account: "1"
sftp:
  host: sftp.oak.example
  port: 2222
  username: roster
mapper: generic
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "districts" / "tx").mkdir(parents=True)
    (tmp_path / "districts" / "tx" / "oak.yaml").write_text(OAK)
    return tmp_path


@pytest.fixture
def seal(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run_seal(*arguments: str, given: str | bytes = SECRET + "\n") -> Done:
        data = given.encode() if isinstance(given, str) else given
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
        code = run(["-C", str(root), "seal", *arguments])
        out, err = capsys.readouterr()
        assert "hunter2" not in out + err
        return Done(code, out, err)

    return run_seal


def opened(text: str, identity: object = IDENTITY, **login: Any) -> str:
    said = {"district": "oak", "host": "sftp.oak.example", "port": 2222, "username": "roster"} | login
    resolver = SecretResolver({}, Path("/nowhere"), {}, str(identity))
    return resolver.resolve(SecretRef("age", text), **said).reveal()


def test_the_snippet_makes_the_districts_file_whole(seal: Any, root: Path) -> None:
    done = seal("oak", "--recipient", RECIPIENT)
    assert done.code == 0
    file = root / "districts" / "tx" / "oak.yaml"
    file.write_text(OAK.replace("  username: roster\n", f"  username: roster\n{done.out}"))
    assert run(["-C", str(root), "validate"]) == 0
    assert opened(yaml.safe_load(file.read_text())["sftp"]["password"]["age"]) == SECRET
    assert "sealed for roster at sftp.oak.example:2222 of oak" in done.err


def test_as_json_it_says_for_which_login_it_is(seal: Any) -> None:
    said = seal("oak", "--recipient", RECIPIENT, "--format", "json").json
    assert opened(said["password"]["age"]) == SECRET
    assert (said["district"], said["host"], said["port"], said["username"]) == (
        "oak", "sftp.oak.example", 2222, "roster",
    )  # fmt: skip
    assert yaml.safe_load(said["yaml"])["password"] == said["password"]


def test_next_is_printed_to_stand_beside_the_old_one(seal: Any) -> None:
    new = seal("oak", "--recipient", RECIPIENT, "--next").out
    old = seal("oak", "--recipient", RECIPIENT, given="old").out
    ref = yaml.safe_load(f"sftp:\n{old}{new}")["sftp"]["password"]
    assert (opened(ref["age"]), opened(ref["next"])) == ("old", SECRET)


def test_next_names_its_provider_where_the_old_secret_has_another(seal: Any, root: Path) -> None:
    file = root / "districts" / "tx" / "oak.yaml"
    variable = "  password:\n    env: SFTP_OAK_PASSWORD\n"
    file.write_text(OAK.replace("  username: roster\n", f"  username: roster\n{variable}"))
    said = seal("oak", "--recipient", RECIPIENT, "--next", "--format", "json").json
    assert opened(said["password"]["next"]["age"]) == SECRET
    done = seal("oak", "--recipient", RECIPIENT, "--next")
    file.write_text(file.read_text().replace(variable, variable + done.out))
    assert run(["-C", str(root), "validate"]) == 0
    assert opened(yaml.safe_load(file.read_text())["sftp"]["password"]["next"]["age"]) == SECRET


def test_without_a_file_options_say_the_login(seal: Any) -> None:
    done = seal("elm", "--recipient", RECIPIENT, "--host", "sftp.elm.example", "--username", "u",
                "--format", "json")  # fmt: skip
    login = {"district": "elm", "host": "sftp.elm.example", "port": 22, "username": "u"}
    assert opened(done.json["password"]["age"], **login) == SECRET


def test_the_policys_recipients_can_open_it_as_well(seal: Any, root: Path) -> None:
    other = pyrage.x25519.Identity.generate()
    (root / "reconciler.yaml").write_text(f"policy:\n  age_recipients:\n    - {other.to_public()}\n")
    text = seal("oak", "--recipient", RECIPIENT, "--format", "json").json["password"]["age"]
    assert opened(text, IDENTITY) == opened(text, other) == SECRET
    assert opened(seal("oak", "--format", "json").json["password"]["age"], other) == SECRET


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_one_line_break_at_the_end_is_no_part_of_a_password(seal: Any, end: str) -> None:
    text = seal("oak", "--recipient", RECIPIENT, "--format", "json", given=f"abc {end}").json
    assert opened(text["password"]["age"]) == "abc "


def test_a_key_is_told_from_a_password_by_its_look(seal: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    said = seal("oak", "--recipient", RECIPIENT, "--format", "json", given=key.read_bytes()).json
    assert opened(said["private_key"]["age"]) == key.read_text().rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (["oak"], SECRET, "no recipient is named"),
        (["oak", "--recipient", str(IDENTITY)], SECRET, "is a private key"),
        (["oak", "--recipient", "age1xyz"], SECRET, "is not a whole recipient"),
        (["elm", "--recipient", RECIPIENT], SECRET, "no file says the host of elm"),
        (["Oak!", "--recipient", RECIPIENT], SECRET, "this is no district's id"),
        (["oak", "--recipient", RECIPIENT, "--host", "u:hunter2@h"], SECRET, "no host name"),
        (["oak", "--recipient", RECIPIENT], "", "nothing was sealed"),
        (["oak", "--recipient", RECIPIENT], "\n", "nothing was sealed"),
        (["oak", "--recipient", RECIPIENT], "x" * 20_000, "nothing was sealed"),
        (["oak", "--recipient", RECIPIENT], "hunter2\nhunter2\n", "a password is one line"),
        (["oak", "--recipient", RECIPIENT, "--for", "private_key"], SECRET, "this is no private key"),
        (["oak", "--recipient", RECIPIENT], str(IDENTITY), "this is an identity"),
        (["oak", "--recipient", RECIPIENT], b"\xff\xfehunter2", "not UTF-8"),
    ],
    ids=["no recipient", "an identity", "a broken recipient", "no file", "a bad id", "a bad host", "nothing",
         "an empty line", "too much", "two lines", "no key", "an identity as secret", "bytes"],
)  # fmt: skip
def test_what_cannot_be_sealed_is_refused_in_words(
    seal: Any, arguments: list[str], given: str | bytes, says: str
) -> None:
    done = seal(*arguments, given=given)
    assert done.code == 64
    assert says in done.err
    assert done.out == ""
    assert str(IDENTITY) not in done.err


def test_errors_are_json_where_json_was_asked_for(seal: Any) -> None:
    assert seal("oak", "--format", "json").json["error"]["code"] == "usage"


@pytest.mark.parametrize(("second", "code"), [(SECRET, 0), ("another", None)], ids=["twice", "mistyped"])
def test_on_a_terminal_it_is_typed_twice_and_not_shown(root: Path, second: str, code: int | None) -> None:
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "-C", str(root), "seal", "oak", "--recipient", RECIPIENT,
         "--format", "json"],
        stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 – no threads here
    )  # fmt: skip
    os.close(theirs)
    shown = _until(ours, "Secret")
    os.write(ours, f"{SECRET}\n".encode())
    shown += _until(ours, "Repeat")
    os.write(ours, f"{second}\n".encode())
    if code is None:
        shown += _until(ours, "do not match")
        started.kill()
        out, _ = started.communicate()
        assert out == ""
    else:
        shown += _until(ours, "sealed for")
        out, _ = started.communicate(timeout=30)
        assert started.returncode == code
        assert opened(json.loads(out)["password"]["age"]) == SECRET
    os.close(ours)
    assert "hunter2" not in shown


def _until(terminal: int, word: str) -> str:
    shown = ""
    while word not in shown:
        shown += os.read(terminal, 1024).decode()
    return shown


def _take_terminal() -> None:
    """Make the child's standard input its terminal: passwords are read from there."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
