"""A secret comes from where its reference says, for the district and host that may have it, or not at all."""

from __future__ import annotations

import copy
import os
import pickle
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.config.district import SecretRef
from reconciler.errors import SecretError
from reconciler.secrets import Secret, SecretResolver

CANARY = "hunter2-Canary"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The secrets folder; beside it lies a file that is none of ours."""
    (tmp_path / "outside").write_text(CANARY)
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def resolve(
    ref: SecretRef,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    shared: Mapping[str, tuple[str, ...]] | None = None,
    district: str = "riverbend-isd",
    host: str = "sftp.riverbend.example",
) -> str:
    resolver = SecretResolver(environ or {}, folder, shared or {})
    return resolver.resolve(ref, district=district, host=host, port=22, username="roster").reveal()


def refusal(
    ref: SecretRef,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    shared: Mapping[str, tuple[str, ...]] | None = None,
) -> SecretError:
    """The error, after checking that it tells no secret and what to do."""
    with pytest.raises(SecretError) as caught:
        resolve(ref, folder, environ, shared=shared)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("district", "name"),
    [
        ("riverbend-isd", "SFTP_RIVERBEND_ISD_PASSWORD"),
        ("riverbend-isd", "SFTP_RIVERBEND_ISD_KEY_2027"),
        ("d7", "SFTP_D7_PASSWORD"),
    ],
)
def test_a_district_reads_the_variables_that_bear_its_name(folder: Path, district: str, name: str) -> None:
    assert resolve(SecretRef("env", name), folder, {name: CANARY}, district=district) == CANARY


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_variable_loses_the_one_newline_that_echo_leaves(folder: Path, end: str) -> None:
    name = "SFTP_RIVERBEND_ISD_PASSWORD"
    assert resolve(SecretRef("env", name), folder, {name: CANARY + end}) == CANARY
    assert resolve(SecretRef("env", name), folder, {name: f"{CANARY} \n{end}"}) == f"{CANARY} \n"
    assert refusal(SecretRef("env", name), folder, {name: end}).message.endswith("is empty")


@pytest.mark.parametrize(
    "name",
    [
        "SFTP_LAKESIDE_PASSWORD",
        "SFTP_RIVERBEND_PASSWORD",
        "SFTP_RIVERBEND_ISD_",
        "SFTP_RIVERBEND_ISD",
        "sftp_riverbend_isd_password",
        "RECONCILER_DATABASE_URL",
        "",
    ],
)
def test_a_variable_of_another_name_is_refused_though_it_is_set(folder: Path, name: str) -> None:
    error = refusal(SecretRef("env", name), folder, {name: CANARY})
    assert error.code == "secret.bound"
    assert "SFTP_RIVERBEND_ISD_" in error.hint


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (("sftp.vendor.example",), "sftp.vendor.example"),
        (("SFTP.Vendor.example",), "sftp.vendor.EXAMPLE"),
        (("other.example", "sftp.vendor.example"), "sftp.vendor.example."),
    ],
    ids=["the same", "in another case", "with a trailing dot"],
)
def test_a_shared_variable_goes_to_the_hosts_that_policy_lists(
    folder: Path, hosts: tuple[str, ...], host: str
) -> None:
    ref, environ = SecretRef("env", "VENDOR_PASSWORD"), {"VENDOR_PASSWORD": CANARY}
    assert resolve(ref, folder, environ, shared={"VENDOR_PASSWORD": hosts}, host=host) == CANARY


@pytest.mark.parametrize(
    "hosts", [(), ("sftp.vendor.example",), ("riverbend.example",), ("evil-sftp.riverbend.example",)]
)
def test_a_shared_variable_goes_to_no_other_host(folder: Path, hosts: tuple[str, ...]) -> None:
    error = refusal(
        SecretRef("env", "VENDOR_PASSWORD"),
        folder,
        {"VENDOR_PASSWORD": CANARY},
        {"VENDOR_PASSWORD": hosts},
    )
    assert error.code == "secret.bound"
    assert "sftp.riverbend.example" in error.message


@pytest.mark.parametrize("name", ["RECONCILER_AGE_IDENTITY", "RECONCILER_DATABASE_URL", "VAULT_TOKEN"])
def test_what_opens_every_other_secret_is_sent_nowhere_though_the_policy_lists_it(
    folder: Path, name: str
) -> None:
    shared = {name: ("sftp.riverbend.example",)}
    error = refusal(SecretRef("env", name), folder, {name: CANARY}, shared)
    assert error.code == "secret.bound"
    assert "a setting of this program" in error.message


@pytest.mark.parametrize("how", ["by its name", "by a link", "by a copy"])
def test_the_identity_of_sealed_secrets_is_no_districts_secret(folder: Path, how: str) -> None:
    identity = folder / "identity"
    identity.write_text("AGE-SECRET-KEY-1QQQQ")
    (folder / "link").symlink_to(identity)
    (folder / "copy").write_text(identity.read_text())
    name = {"by its name": "identity", "by a link": "link", "by a copy": "copy"}[how]
    resolver = SecretResolver({}, folder, {}, "", identity)
    with pytest.raises(SecretError) as caught:
        resolver.resolve(SecretRef("file", name), district="oak", host="h.example", port=22, username="u")
    assert caught.value.code == "secret.bound"
    assert "QQQQ" not in caught.value.message


@pytest.mark.parametrize(
    ("environ", "says"),
    [({}, "is not set"), ({"SFTP_RIVERBEND_ISD_PASSWORD": ""}, "is empty")],
    ids=["not set", "empty"],
)
def test_a_variable_without_a_value_is_named(folder: Path, environ: dict[str, str], says: str) -> None:
    error = refusal(SecretRef("env", "SFTP_RIVERBEND_ISD_PASSWORD"), folder, environ)
    assert error.code == "secret.missing"
    assert "SFTP_RIVERBEND_ISD_PASSWORD" in error.message
    assert says in error.message


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b" abc ", " abc "),
        ("pässwörd\n".encode(), "pässwörd"),
        (b"x" * 65_536, "x" * 65_536),
    ],
    ids=["as it is", "one newline less", "one CRLF less", "two newlines", "spaces", "UTF-8", "64 KiB"],
)
def test_a_file_is_read_as_text_without_its_last_newline(folder: Path, content: bytes, secret: str) -> None:
    (folder / "key").write_bytes(content)
    assert resolve(SecretRef("file", str(folder / "key")), folder) == secret


def test_a_relative_path_starts_in_the_secrets_folder(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "key").write_text(CANARY)
    assert resolve(SecretRef("file", "deep/key"), folder) == CANARY


def test_links_within_the_secrets_folder_are_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "key").write_text(CANARY)
    (folder / "key").symlink_to("..data/key")
    (tmp_path / "alias").symlink_to(folder)
    assert resolve(SecretRef("file", str(tmp_path / "alias" / "key")), tmp_path / "alias") == CANARY


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "/etc/passwd",
        "link",
        "folder/../../outside",
        "linked/outside",
        "",
        ".",
        "loop",
        "nul\x00",
    ],
)
def test_a_path_that_leads_out_of_the_secrets_folder_is_refused(
    folder: Path, tmp_path: Path, path: str
) -> None:
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "loop").symlink_to("loop")
    assert refusal(SecretRef("file", path), folder).code in ("secret.bound", "secret.missing")
    if path != "loop":
        assert refusal(SecretRef("file", path), folder).code == "secret.bound"


def test_a_neighbour_whose_name_begins_alike_is_outside(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets-of-others").mkdir()
    (tmp_path / "secrets-of-others" / "key").write_text(CANARY)
    ref = SecretRef("file", str(tmp_path / "secrets-of-others" / "key"))
    assert refusal(ref, folder).code == "secret.bound"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent", "No such file"),
        ("empty", "is empty"),
        ("newline", "is empty"),
        ("binary", "is not UTF-8"),
        ("large", "larger than 64 KiB"),
        ("folder", "regular file|directory"),
        ("pipe", "regular file"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(folder: Path, name: str, says: str) -> None:
    (folder / "empty").write_bytes(b"")
    (folder / "newline").write_bytes(b"\n")
    (folder / "binary").write_bytes(CANARY.encode() + b"\xff")
    (folder / "large").write_bytes(CANARY.encode() * 10_000)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    error = refusal(SecretRef("file", name), folder)
    assert error.code == "secret.missing"
    assert f"file {name} of district riverbend-isd" in error.message
    assert re.search(says, error.message)


@pytest.fixture
def extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that registers providers."""
    package = tmp_path / "extra"
    info = package / "keeper-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keeper\nVersion: 1.0\n")
    names = ("give", "fail", "nothing", "number", "refuse", "absent")
    lines = [f"{name} = keeper:{name}" for name in names] + ["broken = keeper_that_is_not_there:x"]
    (info / "entry_points.txt").write_text("[reconciler.secrets]\n" + "\n".join(lines) + "\n")
    (package / "keeper.py").write_text(
        "from reconciler.errors import SecretError\n"
        "def give(reference, context):\n"
        "    return f'{reference}|{context.district}|{context.host}|{context.port}|{context.username}'\n"
        f"def fail(reference, context):\n    raise RuntimeError('{CANARY}')\n"
        "def nothing(reference, context):\n    return ''\n"
        "def number(reference, context):\n    return 7\n"
        "def refuse(reference, context):\n"
        "    raise SecretError('not for this host', code='secret.bound', hint='seal it anew')\n"
    )
    monkeypatch.syspath_prepend(package)
    monkeypatch.delitem(sys.modules, "keeper", raising=False)
    return package


@pytest.mark.usefixtures("extra")
def test_a_registered_provider_is_told_where_the_secret_goes(folder: Path) -> None:
    secret = resolve(SecretRef("give", "path#key"), folder)
    assert secret == "path#key|riverbend-isd|sftp.riverbend.example|22|roster"


@pytest.mark.usefixtures("extra")
@pytest.mark.parametrize(
    ("provider", "code", "says"),
    [
        ("fail", "secret.missing", "the provider fail failed with RuntimeError"),
        ("nothing", "secret.missing", "has no secret for district riverbend-isd"),
        ("number", "secret.missing", "has no secret for district riverbend-isd"),
        ("refuse", "secret.bound", "not for this host"),
        ("absent", "secret.missing", "the provider absent failed with AttributeError"),
        ("broken", "secret.missing", "the provider broken failed with ModuleNotFoundError"),
    ],
)
def test_a_provider_that_fails_is_named_without_its_words(
    folder: Path, provider: str, code: str, says: str
) -> None:
    error = refusal(SecretRef(provider, "reference"), folder)
    assert error.code == code
    assert says in error.message


@pytest.mark.parametrize("provider", ["no-such-provider", "ENV", ""])
def test_a_provider_that_is_not_installed_is_said_so(folder: Path, provider: str) -> None:
    error = refusal(SecretRef(provider, CANARY), folder)
    assert error.code == "secret.missing"
    assert f"no provider named {provider} is installed" in error.message


@pytest.mark.parametrize("show", [str, repr, format, "{}".format, "%s".__mod__, lambda s: f"{s!r:>20}"])
def test_a_secret_shows_itself_as_stars(show: object) -> None:
    secret = Secret(CANARY)
    assert callable(show)
    assert show(secret).strip() == "***"
    assert CANARY not in repr([secret, {"password": secret}])
    assert secret.reveal() == CANARY


@pytest.mark.parametrize("write", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_written_down_or_copied(write: object) -> None:
    assert callable(write)
    with pytest.raises(TypeError, match="not written down"):
        write(Secret(CANARY))


@pytest.mark.parametrize(("mode", "warned"), [(0o644, True), (0o444, True), (0o640, False), (0o400, False)])
def test_a_secret_file_that_everyone_can_read_is_told_once(
    folder: Path, mode: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "oak").write_text(CANARY)
    (folder / "oak").chmod(mode)
    resolver = SecretResolver({}, folder, {})
    for _ in range(2):
        resolver.resolve(SecretRef("file", "oak"), district="oak", host="h", port=22, username="u")
    told = [r.getMessage() for r in caplog.records]
    assert (
        told
        == [f"the secret file oak can be read by every user of this machine (mode {mode:04o}); use mode 0400"]
        * warned
    )
    assert CANARY not in caplog.text
