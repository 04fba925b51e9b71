"""Target: a district's file and reconciler.yaml: read as both, checked, formatted, read again."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from reconciler.authoring.formatting import format_text
from reconciler.config.district_file import MAX_BYTES, DistrictFile, parse_district_file
from reconciler.config.fleet_settings import load_fleet_settings
from reconciler.documents.document import Document
from reconciler.documents.keywords import StrictValidator
from reconciler.documents.node import Node, Unquoted
from reconciler.documents.quick import compile_check
from reconciler.documents.reader import document_of
from reconciler.documents.schema import load_schema
from reconciler.documents.text import UnreadableError, decode
from reconciler.documents.yaml_reader import LOADER
from reconciler.errors import ConfigError, Problem
from tests.fuzz.oracles import (
    CANARY,
    expect,
    expect_good_problems,
    expect_no_canary,
    expect_showable,
    in_time,
    result_or_refusal,
    same,
)

FILE = "districts/oak.yaml"
SCHEMAS = ("district.schema.json", "fleet.schema.json")
_REPOSITORY = Path(__file__).parents[2]

_OAK = """\
# the whole of a district
district: oak
name: Oak ISD
account: "104592"
sftp:
  host: sftp.oak.example
  port: 2222
  username: roster
  password: {env: SFTP_OAK_PASSWORD}   # changed each July
  host_key:
    - SHA256:1XlUEce69p998qdHfUMQF3j++F75qGnJ2u3Y55NV/Zk
  remote_path: /data
  file_pattern: '*.csv'
mapper: clever
schools:
  - sis_id: "0042"
    school: lincoln
    name: "Lincoln: the \\u00e9cole"
  - {sis_id: "0043", school: grant}
ignored_schools: ["9999", "N"]
sync:
  state: stopped
  schedule: "0 2 * * *"
  timezone: America/Chicago
  pause: [{from: 2027-06-01, until: "2027-08-15"}]
  settle_minutes: 5
  max_removal_percent: 10.5
"""
_LITERAL = f"""\
district: oak
name: Oak
account: "1"
sftp: {{host: 192.0.2.7, username: x, password: {CANARY}7!, private_key: {{file: a, plain: {CANARY}8}}}}
mapper: clever
"""
_FLEET = f"""\
database_url: postgresql://u:{CANARY}@db.example/reconciler
policy:
  host_keys: first-use
  hosts: [sftp.example, 192.0.2.7]
  shared_secrets: {{COUNTY_PASSWORD: [sftp.county.example]}}
  retire_after_days: 7
  max_reject_percent: 2.5
  contact_safety:
    max_loosened: {{rows: 0, percent: 0}}
    max_students_per_phone: 40
  retention: {{removed_rows_days: 365, rejects_days: 90, history_days: 1095}}
defaults:
  mapper: clever
  sftp: {{port: 22, remote_path: ., file_pattern: "*.csv"}}
  sync: {{settle_minutes: 3}}
"""
_ODD = (
    b"%YAML 1.1\n---\na: &x [1, *x]\n...\n",
    b"? a\n: b\n? |\n  c\n: >-\n  d\n\n  e\n",
    b"a: 'it''s'\nb: \"\\x41\\u2028\\\n  c\"\nc: !!str 1\n<<: {d: 1}\n",
    b"[a, {b: c, ? d, e}, [], {}, ~, null, 0x1F, 1_000, 22:22, .inf, =, 2001-12-14t21:59:43.10-05:00]\n",
    b"a:\n- 1\n-\n  - 2.50\n  -   # nothing\nb:   'x' # y\n#z\n",
    b"\xef\xbb\xbfdistrict: oak\r\nname: |+\r\n  two\r\n  lines\r\n\r\naccount: >2\r\n   x\r\n",
    b"<<<<<<< ours\nname: a\n=======\nname: b\n>>>>>>> theirs\n",
)

SEEDS = (
    *(path.read_bytes() for path in sorted((_REPOSITORY / "districts").rglob("*.yaml"))),
    *(text.encode() for text in (_OAK, _LITERAL, _FLEET)),
    *_ODD,
)
WORDS = tuple(
    word.encode()
    for word in (
        *sorted(set(re.findall(r"[a-z_]{3,}", _OAK + _FLEET))),
        "private_key", "passphrase", "vault", "age", "next", "{env: X}", "{vault: a#b}", "-----BEGIN AGE",
        "no", "on", "~", "null", "true", "1e5", "0x1F", "1_0", "2027-02-30", "|", ">-", "|2", "? ",
        "!!binary", "<<: ", "&a", "*a", "--- ", "...", "%TAG ! x", "\\", "\\x1b", '"', "'", "\n", "\n  ",
        "\n- ", " #", "password: ", "pw is ", "://a:b@", "SHA256:", "ssh-ed25519 AAAA", "FILL-IN", "xn--",
        "\u043e", "*/5",
    )
)  # fmt: skip


def check(data: bytes) -> None:
    """Every promise of what is read from YAML, for these bytes."""
    with in_time():
        text = _text(data)
        _check_district(data, text)
        _check_fleet(data, text)
        document, problems = document_of(data, display=FILE, max_bytes=MAX_BYTES)
        if document is not None:
            _check_places(document, text)
            _check_schemas(document)
            if not any(p.severity == "error" and p.code != "secret.literal" for p in problems):
                _check_meaning(document, text)
        for schema in SCHEMAS:
            _check_format(data, schema)


def _text(data: bytes) -> str:
    try:
        return decode(data)
    except UnreadableError:
        return data.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _check_district(data: bytes, text: str) -> DistrictFile:
    read = parse_district_file(data, file=FILE)
    expect_good_problems(read.problems, text)
    same(
        "reading twice gives the same problems", parse_district_file(data, file=FILE).problems, read.problems
    )
    expect((read.district is None) == read.has_errors, "a file is a district, or has errors")
    _check_secrets(read.problems, data)
    return read


def _check_secrets(problems: list[Problem], data: bytes) -> None:
    """What stands where a secret does is in no message; a key or an id of that name is another matter."""
    document, _ = document_of(data, display=FILE, max_bytes=MAX_BYTES)
    if document is not None and _canary_elsewhere(document.root, under_secret=False):
        return
    if document is None and re.search(rf"{CANARY}[^\n]{{0,300}}:|[?\\]", data.decode(errors="replace"), re.I):
        return
    expect_no_canary((t for p in problems for t in (p.message, p.hint, p.path)), "a secret")


def _canary_elsewhere(node: Node, *, under_secret: bool) -> bool:
    """Whether the canary is a key, or a value that is no secret's."""
    if isinstance(node.content, dict):
        return any(
            CANARY.casefold() in key.casefold()
            or _canary_elsewhere(
                member,
                under_secret=under_secret or key in ("password", "private_key", "passphrase", "database_url"),
            )
            for key, member in node.content.items()
        )
    if isinstance(node.content, list):
        return any(_canary_elsewhere(item, under_secret=under_secret) for item in node.content)
    return not under_secret and CANARY.casefold() in str(node.content).casefold()


def _check_fleet(data: bytes, text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "reconciler.yaml").write_bytes(data)
        loaded, refused = result_or_refusal(lambda: load_fleet_settings(root))
        if loaded is not None:
            expect_good_problems(loaded[1], text)
            same("the settings are the same when read again", load_fleet_settings(root), loaded)
        elif isinstance(refused, ConfigError):
            expect(refused.problems, "a file that is refused has a problem")
            expect_good_problems(refused.problems, text)
            _check_secrets(list(refused.problems), data)


def _check_places(document: Document, text: str) -> None:
    """Each value, and each key, is written where its place says."""
    lines = text.split("\n")
    for node in _nodes(document.root):
        for key, (line, column) in node.keys.items():
            there = lines[line - 1][column - 1 :]
            plain = there.startswith(re.split("[ \t\n]+", key)[0])
            expect(
                plain or there[:1] in ("'", '"', "|", ">", "?", "!", "&"),
                f"the key {key!r} stands at {line}:{column}",
            )
        if node.plain:
            first = re.split(r"[\n ]", node.plain)[0]
            there = lines[node.line - 1][node.column - 1 :]
            expect(there.startswith(first), f"{node.plain!r} stands at {node.line}:{node.column}")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    members = node.content.values() if isinstance(node.content, dict) else node.content
    if isinstance(node.content, dict | list):
        for member in members:
            yield from _nodes(member)


def _check_schemas(document: Document) -> None:
    """The quick check and jsonschema give the same verdict."""
    for name in SCHEMAS:
        quick = _QUICK[name]
        expect(quick is not None, f"{name} has a quick check")
        if quick is not None:
            same(f"the verdicts of {name}", quick(document.value), _STRICT[name].is_valid(document.value))


def _check_meaning(document: Document, text: str) -> None:
    """Another reader of YAML sees the same, but for the texts without quotes that are marked as doubtful."""
    expect(_is_same(document.value, _others(document, text)), "YAML means to us what it means to others")


def _others(document: Document, text: str) -> Any:
    # libyaml reads what the library's own parser refuses, `|#` say: what both read has to be the same.
    for loader in (yaml.SafeLoader, LOADER):
        try:
            return yaml.load(text, Loader=loader)
        except (yaml.YAMLError, ValueError, OverflowError):
            continue
    doubtful = any(isinstance(node.content, Unquoted) for node in _nodes(document.root))
    expect(doubtful, "what is read without a doubt can be read by others")
    return _ANYTHING


_ANYTHING = object()


def _is_same(ours: Any, theirs: Any) -> bool:
    if theirs is _ANYTHING or isinstance(ours, Unquoted):
        return True
    if isinstance(ours, dict):
        return (
            isinstance(theirs, dict)
            and set(ours) == set(theirs)
            and all(_is_same(value, theirs[key]) for key, value in ours.items())
        )
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(_is_same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)


def _check_format(data: bytes, schema: str) -> None:
    """What `fmt` writes says what was there, and is left alone when it is formatted again."""

    def formatted(what: bytes) -> str:
        return format_text(what, file=FILE, schema=load_schema(schema), max_bytes=MAX_BYTES)

    after, refused = result_or_refusal(lambda: formatted(data))
    if after is None:
        if isinstance(refused, ConfigError) and refused.code != "secret.literal":
            expect_showable(p.message for p in refused.problems)
        return
    same("formatting twice is formatting once", formatted(after.encode()), after)
    before, now = (document_of(d, display=FILE, max_bytes=MAX_BYTES)[0] for d in (data, after.encode()))
    expect(before is not None and now is not None, "what is formatted can be read")
    if before is None or now is None:
        return
    if not any(isinstance(node.content, Unquoted) for node in _nodes(before.root)):
        read = parse_district_file(data, file=FILE).district
        if read is not None:
            same("the district is the same", parse_district_file(after.encode(), file=FILE).district, read)


_QUICK = {name: compile_check(load_schema(name)) for name in SCHEMAS}
_STRICT = {name: StrictValidator(load_schema(name)) for name in SCHEMAS}
