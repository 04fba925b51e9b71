"""A district that is known becomes the file that somebody would have written."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings

from reconciler.authoring.district_text import district_text
from reconciler.authoring.formatting import format_text
from reconciler.config.district import District, Pause, SchoolMapping, SecretRef, Sftp, Sync
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import load_schema
from tests.authoring.handwriting import districts

SCHEMA = load_schema("district.schema.json")

SHORT = District(
    "oak", "Oak", "0042", Sftp("h.example", "u", password=SecretRef("env", "SFTP_OAK_P")), "clever"
)
LONG = District(
    "oak",
    "Oak & Elm, Unified",
    "a-1",
    Sftp(
        "h.example",
        "u",
        2222,
        private_key=SecretRef(
            "age", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"
        ),
        passphrase=SecretRef("file", "oak"),
        host_key=("SHA256:" + "A" * 43, "SHA256:" + "B" * 43),
        remote_path="/data",
        file_pattern="*.txt",
    ),
    "clever",
    (SchoolMapping("0042", "lincoln", "Lincoln"), SchoolMapping("7", "no")),
    ("8", "9"),
    Sync("stopped", "0 2 * * *", "America/Chicago", (Pause(date(2027, 6, 1), date(2027, 8, 15)),), 5, 20, 60),
)


def text_of(district: District, *, full: bool = False) -> str:
    return district_text(
        district, file="oak.yaml", schema=SCHEMA, schema_path="../schemas/district.schema.json", full=full
    )


def test_what_has_a_default_is_left_out() -> None:
    assert text_of(SHORT) == (
        "# yaml-language-server: $schema=../schemas/district.schema.json\n"
        'district: oak\nname: Oak\naccount: "0042"\n'
        "sftp:\n  host: h.example\n  username: u\n  password: {env: SFTP_OAK_P}\nmapper: clever\n"
    )


def test_a_district_that_says_everything() -> None:
    assert text_of(LONG) == (
        "# yaml-language-server: $schema=../schemas/district.schema.json\n"
        'district: oak\nname: Oak & Elm, Unified\naccount: "a-1"\n'
        "sftp:\n  host: h.example\n  port: 2222\n  username: u\n"
        "  private_key:\n    age: |\n      -----BEGIN AGE ENCRYPTED FILE-----\n      YWdl\n"
        "      -----END AGE ENCRYPTED FILE-----\n"
        "  passphrase: {file: oak}\n"
        f"  host_key:\n    - SHA256:{'A' * 43}\n    - SHA256:{'B' * 43}\n"
        '  remote_path: /data\n  file_pattern: "*.txt"\n'
        'mapper: clever\nschools:\n  - {sis_id: "0042", school: lincoln, name: Lincoln}\n'
        '  - {sis_id: "7", school: "no"}\nignored_schools: ["8", "9"]\n'
        'sync:\n  state: stopped\n  schedule: "0 2 * * *"\n  timezone: America/Chicago\n'
        "  pause:\n    - {from: 2027-06-01, until: 2027-08-15}\n"
        "  settle_minutes: 5\n  max_removal_percent: 20\n  max_change_percent: 60\n"
    )


@settings(max_examples=60, deadline=None)
@given(districts())
def test_any_district_comes_back_from_its_file(value: dict[str, Any]) -> None:
    district = District.from_json(value)
    for full in (False, True):
        text = text_of(district, full=full)
        assert District.from_json(parse_document(text.encode(), display="oak.yaml").value) == district
        assert format_text(text.encode(), file="oak.yaml", schema=SCHEMA) == text
