"""What counts as a pasted secret and what does not, and that nothing of it is repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.documents.pasted import pasted_secrets
from reconciler.mapping.library import builtin_names

AGE_ARMOR = """\
password:
    age: |
      -----BEGIN AGE ENCRYPTED FILE-----
      YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBjbTQ5RXlHY0ZJeVN2TWtv
      QLE9e+3DU9/sw9Hr/R2BCKA38Iqy/cbyg2wF9HpoPW84exk=
      -----END AGE ENCRYPTED FILE-----
"""
BECH = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE6"

SECRETS = {
    "a literal": "  password: hunter2\n",
    "of one word": "  password: lighthouse\n",
    "in quotes": '  password: "correct horse battery"\n',
    "in single quotes": "  passphrase: 'hunter2'\n",
    "in flow style": "sftp: {host: h, password: hunter2}\n",
    "as JSON": '{"sftp": {"password": "hunter2"}}\n',
    "on the next line": "  password:\n    hunter2\n",
    "in a block": "  password: |\n    hunter2\n",
    "with a mark of YAML": "  password: !hunter2\n",
    "in a list": "- password: hunter2\n",
    "with a dollar sign": "  password: $ecret\n",
    "like a provider": "  password: file-cabinet\n",
    "under another key": "  sftp_passwd: hunter2\n",
    "a token by its key": "api_key: lighthouse-and-more\n",
    "in a comment": "# password: hunter2\n",
    "at the end of a line": "host: h  # old password: hunter2\n",
    "commented out": "#  password: hunter2\n",
    "with an equals sign": "# PASSWORD=hunter2\n",
    "in a sentence": "# the password is hunter2\n",
    "in brackets": "# login roster (pw: hunter2)\n",
    "with signs": "# password: P@ssw!rdish\n",
    "in mixed letters": "# secret: kQxLmPwTzR\n",
    "in a text": 'name: "Oak, password: hunter2"\n',
    "an OpenSSH key": "x: |\n  -----BEGIN OPENSSH PRIVATE KEY-----\n",
    "an RSA key in a comment": "# -----BEGIN RSA PRIVATE KEY-----\n",
    "a plain private key": "-----BEGIN PRIVATE KEY-----\n",
    "a locked private key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
    "a PuTTY key": "PuTTY-User-Key-File-3: ssh-ed25519\n",
    "an age identity": f"# AGE-SECRET-KEY-1{BECH}\n",
    "a post-quantum identity": f"age-secret-key-pq-1{BECH}\n".upper(),
    "a URL": "url: sftp://roster:hunter2@h.example/in\n",
    "a URL in a comment": "# postgresql://u:hunter2@db/x\n",
    "a GitHub token": "# ghp_" + "a1B2" * 9 + "\n",
    "a GitLab token": "# glpat-" + "a1B2" * 5 + "\n",
    "an AWS key": "x: AKIAIOSFODNN7EXAMPLE\n",
    "a Vault token": "# hvs." + "a1B2" * 6 + "\n",
    "a Slack token": "# xoxb-1234567890-abcdef\n",
    "a JSON web token": "# eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc\n",
}

HARMLESS = {
    "a variable": "  password: {env: SFTP_OAK_PASSWORD}\n",
    "a variable below": "  password:\n    env: SFTP_OAK_PASSWORD\n",
    "a file": "  private_key: {file: /run/secrets/oak-2027}\n",
    "a rotation": "  password: {env: SFTP_OAK_PASSWORD, next: SFTP_OAK_PASSWORD_2}\n",
    "a path in Vault": "  password: {vault: secret/districts/oak#password}\n",
    "sealed, armored": "  " + AGE_ARMOR,
    "sealed, in one line": "  password: {age: YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB3}\n",
    "a fingerprint": "  host_key: SHA256:6kQ0S3cr3tTokenPassword0123456789abcdefghijkl\n",
    "a public key": "  host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0password0token1secret\n",
    "a recipient": "  age_recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]\n",
    "shared secrets": "policy:\n  shared_secrets:\n    COUNTY_PASSWORD: [sftp.county.example]\n",
    "shared secrets in a list": "  shared_secrets:\n    COUNTY_2_PASSWORD:\n      - h1.example\n",
    "a shared file": '  shared_secrets:\n    "file:county": [h1.example]\n',
    "a shared path": '  shared_secrets:\n    "kms:county/x#y": [h1.example]\n',
    "nothing yet": "  password:\n",
    "nothing yet, with a word": "  password:  # set by the district2\n",
    "a placeholder": "  password: <password>\n",
    "stars": "# password: ********\n",
    "a template": "# password: ${SFTP_OAK_PASSWORD}\n",
    "a date": "# password: 2027-06-01\n",
    "a ticket": "# password: OPS-1234\n",
    "a person": "# password: ask Jane Doe\n",
    "an address": "# password: it.desk2@district.example\n",
    "a page": "# password: https://wiki.example/oak2\n",
    "a product": "# password: 1Password, vault Districts\n",
    "a sentence": "# The password is case-sensitive!\n",
    "a longer sentence": "# the secret is 12-character, and the token was never-used2\n",
    "an algorithm": "# secret: sha256\n",
    "a variable in a comment": "# password: SFTP_OAK_PASSWORD_2\n",
    "a reference in a comment": "# private_key: {file: /run/secrets/oak}   # passphrase: {…} beside it\n",
    "another word": "# bypass: hunter2\nname: Compass2: North\n",
    "a URL without a password": "# see https://host.example:8443/path@2\n",
    "a URL with a placeholder": "# postgresql://user:password@db/x, sftp://u:***@h, https://u:$PW@h\n",
    "a school": 'schools:\n  - {sis_id: "0042", school: token-elementary, name: "Secret: Garden School"}\n',
    "a column of a mapper": '{"column": "Portal Password", "const": "Password"}\n',
    "a base64 of any kind": "x: " + "QUtJQXBhc3N3b3Jk" * 50 + "\n",
}  # fmt: skip


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_found_and_not_repeated(text: str) -> None:
    (problem,) = pasted_secrets("a: 1\n" + text, "x.yaml")
    assert (problem.code, problem.severity) == ("secret.literal", "error")
    line = ("a: 1\n" + text).splitlines()[problem.line - 1]
    value = line[problem.column - 1 :]
    assert value
    told = problem.message + problem.hint
    assert not [word for word in value.split() if len(word) > 5 and word in told]
    assert "change it" in problem.hint


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_is_no_secret_raises_no_alarm(text: str) -> None:
    assert pasted_secrets(text, "x.yaml") == []


def test_each_line_is_told_once_in_order() -> None:
    text = "# password: hunter2 password: hunter3\n\n# token: abc123def\n"
    assert [p.line for p in pasted_secrets(text, "x.yaml")] == [1, 3]


def test_a_long_file_of_secrets_is_told_in_part() -> None:
    assert len(pasted_secrets("# password: hunter2\n" * 500, "x.yaml")) == 50


@pytest.mark.parametrize("text", ["A" * 200_000, "password" * 20_000, "://" * 50_000, "eyJ" * 50_000,
                                  "password:\n" * 20_000, "# password is " * 10_000, "-" * 200_000,
                                  '"password": "' + "x" * 200_000])  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    pasted_secrets(text, "x.yaml")


@given(st.text(max_size=300))
def test_any_text_can_be_looked_through(text: str) -> None:
    for problem in pasted_secrets(text, "x.yaml"):
        assert 1 <= problem.line <= text.count("\n") + 1


def test_nothing_that_ships_raises_an_alarm() -> None:
    root = Path(__file__).parents[2]
    files = [*root.glob("districts/**/*.yaml"), *root.glob("mappers/*"), *root.glob("schemas/*.json"),
             *root.glob("reconciler/mapping/builtin/*.json")]  # fmt: skip
    assert len(files) > len(builtin_names())
    assert [p for file in files for p in pasted_secrets(file.read_text("utf-8"), str(file))] == []


def test_a_mapper_may_have_a_column_of_any_name() -> None:
    text = json.dumps({"students": {"token": "Student Token", "password": "Password Hint"}}, indent=1)
    assert pasted_secrets(text, "acme.json") == []
    assert pasted_secrets(text.replace("Password Hint", "hunter2"), "acme.json") != []
