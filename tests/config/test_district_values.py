"""A district is what its file says, however the file says it."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.district import District, Pause, SchoolMapping, SecretRef, Sftp, Sync
from reconciler.config.district_file import DistrictFile, read_district_file
from tests.config.repository import district

FULL = """\
# yaml-language-server: $schema=../schemas/district.schema.json
district: riverbend-isd
name: Riverbend ISD
account: "0104592"
sftp:
  host: sftp.riverbend.example
  port: 2222
  username: roster
  private_key: {file: /run/secrets/riverbend}
  passphrase: {vault: "secret/riverbend#passphrase"}
  host_key:
    - SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
    - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2C0mJkX1mTt9gHhXvDkVwqWc1u5h0o7uYpY1l1ZQ0a
  remote_path: /data/uploads/
  file_pattern: "*.CSV"
mapper: oneroster-1.1
schools:
  - {sis_id: "0043", school: lincoln, name: Lincoln Annex}
  - {sis_id: "0042", school: lincoln}
ignored_schools: ["9999", "0001"]
sync:
  state: stopped
  schedule: "0 2 * * mon-fri"
  timezone: America/Chicago
  pause: [{from: 2027-06-01, until: "2027-08-15"}]
  settle_minutes: 5
  max_removal_percent: 12.5
  max_change_percent: 50
"""
RIVERBEND = District(
    id="riverbend-isd",
    name="Riverbend ISD",
    account="0104592",
    sftp=Sftp(
        host="sftp.riverbend.example",
        port=2222,
        username="roster",
        private_key=SecretRef("file", "/run/secrets/riverbend"),
        passphrase=SecretRef("vault", "secret/riverbend#passphrase"),
        host_key=(
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2C0mJkX1mTt9gHhXvDkVwqWc1u5h0o7uYpY1l1ZQ0a",
        ),
        remote_path="/data/uploads/",
        file_pattern="*.CSV",
    ),
    mapper="oneroster-1.1",
    schools=(SchoolMapping("0042", "lincoln"), SchoolMapping("0043", "lincoln", "Lincoln Annex")),
    ignored_schools=("0001", "9999"),
    sync=Sync(
        state="stopped",
        schedule="0 2 * * mon-fri",
        timezone="America/Chicago",
        pause=(Pause(date(2027, 6, 1), date(2027, 8, 15)),),
        settle_minutes=5,
        max_removal_percent=12.5,
        max_change_percent=50,
    ),
)


def read(text: str, folder: Path, name: str = "riverbend-isd.yaml") -> DistrictFile:
    (folder / name).write_text(text, encoding="utf-8")
    return read_district_file(folder / name, file=name, root=folder)


def test_every_key_is_read(tmp_path: Path) -> None:
    found = read(FULL, tmp_path)
    assert found.problems == []
    assert found.district == RIVERBEND


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    path = district(tmp_path, "oak")
    found = read_district_file(path, file="oak.yaml", root=tmp_path)
    assert found.problems == []
    assert found.district == District(
        id="oak",
        name="oak",
        account="a-oak",
        sftp=Sftp(host="sftp.example", username="roster", password=SecretRef("env", "SFTP_OAK_PASSWORD")),
        mapper="clever",
    )


@pytest.mark.parametrize(
    "written", ["0 2 * * *", "*/15 6-18 * * 1-5", "0 2 1,15 * *", "0 2 l * *", "0 2 * jan mon#1"]
)
def test_schedules_of_five_fields_are_taken(written: str, tmp_path: Path) -> None:
    found = read(FULL.replace("0 2 * * mon-fri", written), tmp_path)
    assert found.problems == []


def test_one_host_key_may_stand_alone(tmp_path: Path) -> None:
    path = district(tmp_path, "oak")
    pin = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    path.write_text(path.read_text().replace("  username", f"  host_key: {pin}\n  username"))
    found = read_district_file(path, file="oak.yaml", root=tmp_path)
    assert found.district
    assert found.district.sftp.host_key == (pin,)


def test_a_sealed_secret_may_take_many_lines(tmp_path: Path) -> None:
    path = district(tmp_path, "oak")
    header = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCg=="
    lines = ("-----BEGIN AGE ENCRYPTED FILE-----", header, "-----END AGE ENCRYPTED FILE-----")
    armored = "\n    age: |" + "".join(f"\n      {line}" for line in lines)
    path.write_text(path.read_text().replace("{env: SFTP_OAK_PASSWORD}", armored))
    found = read_district_file(path, file="oak.yaml", root=tmp_path)
    assert found.problems == []
    assert found.district
    assert found.district.sftp.password == SecretRef("age", "".join(f"{line}\n" for line in lines))


# Beyond U+FFFF JSON writes two escapes for one character, which YAML does not know.
_WORD = st.text(st.characters(categories=("L", "N", "P"), max_codepoint=0xFFFF), min_size=1, max_size=12)
_DAYS = st.dates(date(2020, 1, 1), date(2035, 1, 1))
_DISTRICTS = st.builds(
    District,
    id=st.just("riverbend-isd"),
    name=_WORD,
    account=st.from_regex(r"[0-9]{1,10}", fullmatch=True),
    sftp=st.builds(
        Sftp,
        host=st.sampled_from(["sftp.example", "192.0.2.7", "2001:db8::1"]),
        username=_WORD,
        port=st.integers(1, 65535),
        password=st.just(SecretRef("env", "SFTP_RIVERBEND_ISD_PASSWORD")),
        remote_path=st.just("/data"),
    ),
    mapper=st.sampled_from(["clever", "oneroster-1.1"]),
    schools=st.lists(
        st.builds(SchoolMapping, sis_id=_WORD.map("m{}".format), school=_WORD, name=_WORD),
        unique_by=lambda school: school.sis_id,
        max_size=5,
    ).map(lambda schools: tuple(sorted(schools, key=lambda school: school.sis_id))),
    ignored_schools=st.sets(_WORD.map("i{}".format), max_size=4).map(lambda ids: tuple(sorted(ids))),
    sync=st.builds(
        Sync,
        state=st.sampled_from(["started", "stopped"]),
        schedule=st.just("0 2 * * *"),
        pause=st.lists(st.tuples(_DAYS, _DAYS).map(lambda days: Pause(min(days), max(days))), max_size=3).map(
            tuple
        ),
        settle_minutes=st.integers(0, 1440),
        max_removal_percent=st.integers(0, 100) | st.floats(0, 100).map(lambda value: round(value, 2)),
    ),
)


def written_out(value: Any, shuffle: random.Random, indent: int = 0) -> str:
    """YAML for a value in a layout of chance: the order of keys, the quotes, block or flow."""
    if isinstance(value, dict):
        items = [(key, member) for key, member in value.items() if member is not None]
        shuffle.shuffle(items)
        if items and shuffle.random() < 0.7:
            pad = "\n" + " " * indent
            return "".join(f"{pad}{key}: {written_out(m, shuffle, indent + 2)}" for key, m in items)
        return "{" + ", ".join(f"{_flow(key, shuffle)}: {_flow(m, shuffle)}" for key, m in items) + "}"
    return _flow(value, shuffle)


def _flow(value: Any, shuffle: random.Random) -> str:
    if isinstance(value, str) and "'" not in value and shuffle.random() < 0.5:
        return f"'{value}'"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item, shuffle) for item in value) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{_flow(k, shuffle)}: {_flow(m, shuffle)}" for k, m in value.items() if m is not None
            )
            + "}"
        )
    return json.dumps(value, ensure_ascii=shuffle.random() < 0.5)


@settings(deadline=None)
@given(_DISTRICTS)
def test_to_json_reads_back_to_an_equal_district(desired: District) -> None:
    assert District.from_json(json.loads(json.dumps(desired.to_json()))) == desired


@settings(max_examples=60, deadline=None)
@given(desired=_DISTRICTS, seed=st.integers(0, 2**32))
def test_layout_order_and_quotes_do_not_change_the_district(
    desired: District, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    value = desired.to_json()
    del value["sftp"]["host_key"]
    text = written_out(value, random.Random(seed)).removeprefix("\n") + "\n"
    found = read(text, folder)
    assert found.problems == []
    assert found.district == desired
