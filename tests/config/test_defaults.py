"""`defaults:` of reconciler.yaml: what a district does not say, the fleet says for it; nothing more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.defaults import Defaults
from reconciler.config.district import District
from reconciler.config.fleet import Fleet, load_fleet
from reconciler.documents.document import Document
from reconciler.documents.node import Node
from reconciler.documents.reader import parse_document
from reconciler.documents.schema import load_schema
from reconciler.errors import ConfigError
from tests.config.repository import district

MAPPERS = ("clever", "oneroster-1.1")
PIN = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
EVERYTHING = f"""\
defaults:
  sftp:
    host: sftp.county.example
    port: 2222
    username: county
    host_key: {PIN}
    remote_path: /out/
    file_pattern: "*.txt"
  mapper: oneroster-1.1
  sync:
    state: stopped
    schedule: "0 2 * * *"
    timezone: America/Chicago
    pause: [{{from: 2027-06-01, until: 2027-08-15}}]
    settle_minutes: 5
    max_removal_percent: 3
    max_change_percent: 50
"""
LEAST = """\
district: oak
name: Oak
account: "1"
sftp:
  password: {env: SFTP_OAK_PASSWORD}
"""


def fleet_of(root: Path, defaults: str, **districts: str) -> Fleet:
    (root / "reconciler.yaml").write_text(defaults)
    (root / "districts").mkdir(exist_ok=True)
    for name, text in districts.items():
        (root / "districts" / f"{name}.yaml").write_text(text)
    return load_fleet(root, mappers=MAPPERS)


def told(fleet: Fleet) -> list[str]:
    return [f"{p.file}:{p.line}:{p.column} {p.code} {p.path}: {p.message}" for p in fleet.problems]


class TestWhatADistrictGets:
    def test_every_default_is_taken_by_a_district_that_says_the_least(self, tmp_path: Path) -> None:
        fleet = fleet_of(tmp_path, EVERYTHING, oak=LEAST)
        assert told(fleet) == []
        said = parse_document(EVERYTHING.encode(), display="reconciler.yaml").value["defaults"]
        sftp = {**said["sftp"], "password": {"env": "SFTP_OAK_PASSWORD"}}
        whole = {"district": "oak", "name": "Oak", "account": "1", **said, "sftp": sftp}
        assert fleet.districts["oak"] == District.from_json(whole)
        unsaid = District.from_json({**whole, "sftp": {"host": "", "username": ""}, "sync": {}}).to_json()
        taken = fleet.districts["oak"].to_json()
        assert all(taken["sync"][key] != value for key, value in unsaid["sync"].items())
        same = {key for key, value in unsaid["sftp"].items() if taken["sftp"][key] == value}
        assert same == {"private_key", "passphrase"}

    @pytest.mark.parametrize(
        ("more", "path", "value"),
        [
            ("mapper: clever\n", ("mapper",), "clever"),
            ("  port: 22\n", ("sftp", "port"), 22),
            ("  host_key: [SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA]\n", ("sftp", "host_key"),
             ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]),
            ("sync: {state: started}\n", ("sync", "state"), "started"),
            ("sync: {pause: []}\n", ("sync", "pause"), []),
            ("sync: {max_removal_percent: 10}\n", ("sync", "max_removal_percent"), 10),
        ],
        ids=["a name", "the built-in value", "a list whole", "in sync", "an empty list", "a limit"],
    )  # fmt: skip
    def test_a_districts_own_value_wins_and_changes_nothing_else(
        self, more: str, path: tuple[str, ...], value: Any, tmp_path: Path
    ) -> None:
        before = fleet_of(tmp_path, EVERYTHING, oak=LEAST).districts["oak"].to_json()
        after = fleet_of(tmp_path, EVERYTHING, oak=LEAST + more).districts["oak"].to_json()
        section = before[path[0]] if len(path) == 2 else before
        assert section[path[-1]] != value
        section[path[-1]] = value
        assert after == before

    def test_a_changed_default_changes_those_who_do_not_say_otherwise(self, tmp_path: Path) -> None:
        elm = LEAST.replace("oak", "elm").replace("OAK", "ELM").replace('"1"', '"2"') + "  port: 2222\n"
        before = fleet_of(tmp_path, EVERYTHING, oak=LEAST, elm=elm).districts
        after = fleet_of(tmp_path, EVERYTHING.replace("2222", "2022"), oak=LEAST, elm=elm).districts
        assert (after["elm"], after["oak"].sftp.port) == (before["elm"], 2022)

    @pytest.mark.parametrize("defaults", ["", "defaults: {}\n", "defaults: {sftp: {}, sync: {}}\n"])
    def test_without_defaults_a_district_is_what_its_file_says(self, defaults: str, tmp_path: Path) -> None:
        district(tmp_path, "oak")
        alone = load_fleet(tmp_path, mappers=MAPPERS).districts
        assert fleet_of(tmp_path, defaults or "policy: {}\n").districts == alone


class TestWhatIsMissing:
    def test_in_both_places_is_told_at_the_district_with_both_named(self, tmp_path: Path) -> None:
        fleet = fleet_of(tmp_path, "defaults: {sftp: {port: 22}}\n", oak=LEAST)
        assert [(p.file, p.line, p.path, p.message, p.hint) for p in fleet.problems] == [
            ("districts/oak.yaml", 1, "", '"mapper" is missing',
             'add mapper: "oneroster-1.1" here, or for the whole fleet under defaults in reconciler.yaml'),
            ("districts/oak.yaml", 5, "sftp", '"host" is missing',
             'add host: "sftp.riverbend.example" here, '
             "or for the whole fleet under defaults.sftp in reconciler.yaml"),
            ("districts/oak.yaml", 5, "sftp", '"username" is missing',
             'add username: "roster" here, or for the whole fleet under defaults.sftp in reconciler.yaml'),
        ]  # fmt: skip

    def test_a_district_without_sftp_lacks_only_its_secret(self, tmp_path: Path) -> None:
        (problem,) = fleet_of(tmp_path, EVERYTHING, oak=LEAST.partition("sftp:")[0]).problems
        assert (problem.file, problem.line, problem.path) == ("districts/oak.yaml", 1, "sftp")
        assert problem.hint == (
            "add under sftp, password: {env: SFTP_OAK_PASSWORD} or private_key: {file: oak}"
        )

    @pytest.mark.parametrize(
        ("more", "path"),
        [("mappr: clever\n", "mappr"), ("  hots: x\n", "sftp.hots"), ("mapper:\n", "mapper"),
         ("sync:\n", "sync"), ("  host: -x\n", "sftp.host"), ("sync: []\n", "sync")],
    )  # fmt: skip
    def test_a_default_never_stands_in_for_a_slip(self, more: str, path: str, tmp_path: Path) -> None:
        fleet = fleet_of(tmp_path, EVERYTHING, oak=LEAST + more)
        assert fleet.districts == {}
        assert [(p.file, p.path) for p in fleet.problems] == [("districts/oak.yaml", path)]


class TestMistakesInDefaults:
    @pytest.mark.parametrize(
        ("text", "place", "message"),
        [
            ("defaults:\n  sftp: {port: 0}\n", "2:16 defaults.sftp.port", "must be from 1 to 65535"),
            ("defaults:\n  sftp: {prot: 1}\n", "2:10 defaults.sftp.prot", 'unknown key "prot"'),
            ("defaults:\n  sync: {schedule: 0 2 31 2 *}\n", "2:20 defaults.sync.schedule",
             "the cron expression names a day that never comes"),
            ("defaults:\n  sync: {schedule: 1 2 3}\n", "2:20 defaults.sync.schedule",
             "must be a cron expression of five fields: minute, hour, day, month, weekday"),
            ("defaults:\n  sync: {timezone: Mars/Base}\n", "2:20 defaults.sync.timezone",
             "is not the IANA name of a time zone"),
            ("defaults:\n  sync: {pause: [{from: 2027-02-02, until: 2027-01-01}]}\n",
             "2:44 defaults.sync.pause[0].until", "this day lies before from"),
            ("defaults:\n", "1:10 defaults", "is empty: a mapping (key: value) is expected"),
            *((f"defaults: {{{key}: x}}\n", f"1:{14 + len(key)} defaults.{key}",
               "belongs to one district, and has no default: write it in the district's own file")
              for key in ("district", "name", "account", "schools", "ignored_schools")),
            *((f"defaults: {{sftp: {{{key}: hunter2}}}}\n", f"1:{21 + len(key)} defaults.sftp.{key}",
               "a secret belongs to one district: name it in each district's own file")
              for key in ("password", "private_key", "passphrase")),
        ],
    )  # fmt: skip
    def test_are_told_once_at_their_line_and_touch_no_district(
        self, text: str, place: str, message: str, tmp_path: Path
    ) -> None:
        for name in ("elm", "oak"):
            district(tmp_path, name)
        (tmp_path / "reconciler.yaml").write_text(text)
        with pytest.raises(ConfigError) as caught:
            load_fleet(tmp_path, mappers=MAPPERS)
        (problem,) = (p for p in caught.value.problems if p.code != "secret.literal")
        assert (f"{problem.line}:{problem.column} {problem.path}", problem.message) == (place, message)
        assert "hunter2" not in repr(caught.value.problems)

    def test_a_key_that_is_refused_is_not_proposed(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            fleet_of(tmp_path, "defaults: {sftp: {pasword: x}, accounts: x}\n")
        assert [p.hint for p in caught.value.problems] == [
            "known here: host, port, username, host_key, remote_path, file_pattern",
            "known here: sftp, mapper, sync",
        ]

    WRONG_MAPPER = "defaults: {mapper: cleaver}\n"

    def test_a_mapper_that_is_not_there_is_told_once_and_refuses_those_who_use_it(
        self, tmp_path: Path
    ) -> None:
        for name in ("ash", "elm", "oak"):
            path = district(tmp_path, name)
            if name != "oak":
                path.write_text(path.read_text().replace("mapper: clever\n", ""))
        fleet = fleet_of(tmp_path, self.WRONG_MAPPER)
        expected = ["reconciler.yaml:1:20 config.reference defaults.mapper: no mapper has this name"]
        assert told(fleet) == expected
        assert fleet.problems[0].hint == 'did you mean "clever"?'
        assert (list(fleet.districts), list(fleet.refused)) == (["oak"], ["ash", "elm"])
        assert fleet.refused["ash"] == fleet.problems
        only = {"districts/ash.yaml": expected, "districts/oak.yaml": [], "reconciler.yaml": expected}
        for path, problems in only.items():
            asked = load_fleet(tmp_path, mappers=MAPPERS, only_paths=[Path(path)])
            assert told(asked) == problems, path

    def test_a_mapper_that_nobody_takes_is_told_all_the_same(self, tmp_path: Path) -> None:
        district(tmp_path, "oak")
        fleet = fleet_of(tmp_path, self.WRONG_MAPPER)
        assert len(fleet.problems) == 1
        assert list(fleet.districts) == ["oak"]


SHARED = "policy: {shared_secrets: {COUNTY: [sftp.county.example]}}\n"


@pytest.mark.parametrize(
    ("own_host", "default_host", "accepted"),
    [
        pytest.param("", "sftp.county.example", True, id="the default is listed"),
        pytest.param("", "evil.example", False, id="a default that is not listed"),
        pytest.param("evil.example", "sftp.county.example", False, id="the district's own is not listed"),
        pytest.param("sftp.county.example", "evil.example", True, id="the district's own is listed"),
    ],
)
def test_a_shared_secret_goes_only_to_the_host_that_counts(
    own_host: str, default_host: str, accepted: bool, tmp_path: Path
) -> None:
    own = f"  host: {own_host}\n" if own_host else ""
    oak = LEAST.replace("SFTP_OAK_PASSWORD", "COUNTY") + own
    defaults = f"defaults: {{mapper: clever, sftp: {{host: {default_host}, username: u}}}}\n"
    fleet = fleet_of(tmp_path, SHARED + defaults, oak=oak)
    assert ("oak" in fleet.districts) is accepted
    assert [(p.code, p.file, p.line) for p in fleet.problems] == (
        [] if accepted else [("secret.bound", "districts/oak.yaml", 5)]
    )
    which = "this" if own_host else "the default"
    assert accepted or fleet.problems[0].message == f"this shared secret may not go to {which} host"


@pytest.mark.parametrize(
    ("own", "default", "warned"),
    [
        pytest.param("  host: sftp.oak.example\n", f"host: sftp.county.example, host_key: {PIN}", True,
                     id="a server of its own with the fleet's pin"),
        pytest.param("", f"host: sftp.county.example, host_key: {PIN}", False, id="the fleet's server"),
        pytest.param("  host: SFTP.county.example\n", f"host: sftp.county.example, host_key: {PIN}", False,
                     id="the fleet's server by name"),
        pytest.param(f"  host: sftp.oak.example\n  host_key: {PIN}\n",
                     f"host: sftp.county.example, host_key: {PIN}", False, id="both of its own"),
        pytest.param("  host: sftp.oak.example\n", f"host_key: {PIN}", False, id="a pin for all servers"),
        pytest.param("  host: sftp.oak.example\n", "host: sftp.county.example", False, id="no default pin"),
    ],
)  # fmt: skip
def test_a_server_of_its_own_with_a_pin_of_another_is_warned_of(
    own: str, default: str, warned: bool, tmp_path: Path
) -> None:
    defaults = f"defaults: {{mapper: clever, sftp: {{{default}, username: u}}}}\n"
    fleet = fleet_of(tmp_path, defaults, oak=LEAST + own)
    assert [(p.code, p.severity, p.path) for p in fleet.problems] == (
        [("config.defaults", "warning", "sftp.host")] if warned else []
    )
    assert "oak" in fleet.districts


def test_the_fleets_schema_says_of_each_default_what_the_districts_schema_says() -> None:
    fleet, one = load_schema("fleet.schema.json"), load_schema("district.schema.json")
    defaults = fleet["properties"]["defaults"]["properties"]
    assert defaults["mapper"] == one["properties"]["mapper"]
    assert defaults["sync"] == one["$defs"]["sync"]
    sftp = one["$defs"]["sftp"]["properties"]
    assert sorted(defaults["sftp"]["properties"]) == sorted(sftp)
    for key, schema in defaults["sftp"]["properties"].items():
        assert schema == sftp[key] or (schema["not"] == {} and "$ref" in sftp[key]), key
    assert set(defaults) == set(one["properties"])
    for name in ("pin", "percent", "day"):
        assert fleet["$defs"][name] == one["$defs"][name]
    assert "#/$defs/" in json.dumps(defaults)


_VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
_KEYS = st.sampled_from(["host", "port", "state"])
_SECTION = st.dictionaries(_KEYS, _VALUES)
_DEFAULTS = st.fixed_dictionaries({}, optional={"sftp": _SECTION, "sync": _SECTION, "mapper": _VALUES})
_OWN = st.fixed_dictionaries({}, optional={"sftp": _SECTION | _VALUES, "sync": _VALUES, "name": _VALUES})


@given(_DEFAULTS, _OWN)
def test_to_complete_adds_and_never_alters(default: dict[str, Any], own: dict[str, Any]) -> None:
    document = Document("oak.yaml", Node({}, 1, 1), own)
    defaults = Defaults(default)
    whole = defaults.complete(document)
    for key, value in own.items():
        assert whole.value[key] == value or (value.items() <= whole.value[key].items())
    assert set(whole.value) == {*own, *default}
    assert defaults.complete(whole).value == whole.value
    assert whole.root is document.root
