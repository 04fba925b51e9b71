"""The fleet is read in one order, checked across files, and never loses a district that is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.config.fleet import Fleet, load_fleet
from reconciler.errors import UsageError
from tests.config.repository import district

MAPPERS = ("clever", "oneroster-1.1")


def load(root: Path, *only: str) -> Fleet:
    (root / "districts").mkdir(exist_ok=True)
    return load_fleet(root, mappers=MAPPERS, only_paths=[Path(path) for path in only])


def told(fleet: Fleet) -> list[str]:
    return [f"{p.file}:{p.line} {p.code}: {p.message}" for p in fleet.problems]


def test_districts_are_found_in_any_folder(tmp_path: Path) -> None:
    district(tmp_path, "b")
    district(tmp_path, "a", folder="districts/texas/north")
    fleet = load(tmp_path)
    assert list(fleet.districts) == ["a", "b"]
    assert fleet.files == {"a": "districts/texas/north/a.yaml", "b": "districts/b.yaml"}
    assert (fleet.problems, fleet.refused, fleet.complete) == ((), {}, True)


def test_an_empty_repository_has_no_districts(tmp_path: Path) -> None:
    fleet = load(tmp_path)
    assert (fleet.districts, fleet.problems, fleet.checked, fleet.complete) == ({}, (), (), True)


@pytest.mark.parametrize("name", [".a.yaml", "a.yaml~", "README.md", "a.yaml.bak", ".git/a.yaml", "a.json"])
def test_other_files_are_passed_over(name: str, tmp_path: Path) -> None:
    path = tmp_path / "districts" / name
    path.parent.mkdir(parents=True)
    path.write_text("not: a district\n")
    assert load(tmp_path).problems == ()


@pytest.mark.parametrize(
    ("name", "stem"), [("oak.yml", "oak"), ("oak.YAML", "oak"), ("oak.Yml", "oak"), ("Oak.yml", "oak")]
)
def test_a_wrong_ending_is_told_and_its_district_is_not_gone(name: str, stem: str, tmp_path: Path) -> None:
    district(tmp_path, stem).rename(tmp_path / "districts" / name)
    fleet = load(tmp_path)
    assert told(fleet) == [f"districts/{name}:0 config.syntax: the ending must be .yaml"]
    assert stem in fleet.refused


def test_a_capital_letter_in_the_name_keeps_the_district_refused(tmp_path: Path) -> None:
    district(tmp_path, "oak").rename(tmp_path / "districts" / "Oak.yaml")
    fleet = load(tmp_path)
    assert set(fleet.refused) == {"Oak", "oak"}
    assert fleet.districts == {}


def test_a_renamed_file_refuses_the_id_inside_too(tmp_path: Path) -> None:
    district(tmp_path, "oak").rename(tmp_path / "districts" / "elm.yaml")
    assert set(load(tmp_path).refused) == {"elm", "oak"}


def test_a_copied_file_leaves_its_original_alone(tmp_path: Path) -> None:
    original = district(tmp_path, "oak", account="1")
    (tmp_path / "districts" / "elm.yaml").write_text(original.read_text().replace('"1"', '"2"'))
    fleet = load(tmp_path)
    assert set(fleet.refused) == {"elm"}
    assert set(fleet.districts) == {"oak"}


def test_two_files_with_one_id_are_both_refused_and_both_named(tmp_path: Path) -> None:
    district(tmp_path, "oak", folder="districts/a", account="1")
    district(tmp_path, "oak", folder="districts/b", account="2")
    fleet = load(tmp_path)
    assert told(fleet) == [
        "districts/a/oak.yaml:1 config.duplicate: another file has this district's id: districts/b/oak.yaml",
        "districts/b/oak.yaml:1 config.duplicate: another file has this district's id: districts/a/oak.yaml",
    ]
    assert fleet.districts == {}
    assert len(fleet.refused["oak"]) == 2


def test_an_account_used_twice_refuses_all_who_use_it(tmp_path: Path) -> None:
    for name in ("elm", "fir", "oak"):
        district(tmp_path, name, account="same")
    district(tmp_path, "yew")
    fleet = load(tmp_path)
    assert told(fleet) == [
        "districts/elm.yaml:3 config.duplicate: another district has this account: districts/fir.yaml:3",
        "districts/fir.yaml:3 config.duplicate: another district has this account: districts/elm.yaml:3",
        "districts/oak.yaml:3 config.duplicate: another district has this account: districts/elm.yaml:3",
    ]
    assert list(fleet.refused) == ["elm", "fir", "oak"]
    assert list(fleet.districts) == ["yew"]


def test_an_account_claimed_by_an_invalid_file_is_still_claimed(tmp_path: Path) -> None:
    district(tmp_path, "elm", account="same")
    district(tmp_path, "oak", account="same", more="nonsense: 1\n")
    assert set(load(tmp_path).refused) == {"elm", "oak"}


def test_a_mapper_is_looked_up_only_where_the_names_are_known(tmp_path: Path) -> None:
    district(tmp_path, "oak", mapper="cleaver")
    (problem,) = load(tmp_path).problems
    assert (problem.code, problem.hint) == ("config.reference", 'did you mean "clever"?')
    assert load_fleet(tmp_path, mappers=None).problems == ()


SHARED = "policy:\n  shared_secrets:\n    COUNTY_PASSWORD: [sftp.county.example]\n"


@pytest.mark.parametrize(
    ("env", "host", "accepted"),
    [
        pytest.param("SFTP_OAK_PASSWORD", "sftp.example", True, id="its own"),
        pytest.param("SFTP_OAK_", "sftp.example", True, id="only the prefix"),
        pytest.param("SFTP_OAK", "sftp.example", False, id="less than the prefix"),
        pytest.param("SFTP_OAKS_PASSWORD", "sftp.example", False, id="a longer word"),
        pytest.param("sftp_oak_password", "sftp.example", False, id="lower case"),
        pytest.param("SFTP_ELM_PASSWORD", "sftp.example", False, id="another district's"),
        pytest.param("SFTP_OAK_HILL_PASSWORD", "sftp.example", False, id="of a district with a longer name"),
        pytest.param("DATABASE_URL", "sftp.example", False, id="something else entirely"),
        pytest.param("COUNTY_PASSWORD", "sftp.county.example", True, id="shared with this host"),
        pytest.param("COUNTY_PASSWORD", "SFTP.County.Example", True, id="shared, whatever its case"),
        pytest.param("COUNTY_PASSWORD", "evil.example", False, id="shared with another host"),
    ],
)
def test_a_variable_belongs_to_its_district(env: str, host: str, accepted: bool, tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(SHARED)
    district(tmp_path, "elm")
    district(tmp_path, "oak-hill")
    district(tmp_path, "oak", env=env, host=host)
    fleet = load(tmp_path)
    assert ("oak" in fleet.districts) is accepted
    codes = [(p.code, p.line, p.path) for p in fleet.problems]
    assert codes == ([] if accepted else [("secret.bound", 7, "sftp.password.env")])


class TestFilesThatCannotBeRead:
    """A district that cannot be read is refused: it is not gone."""

    def test_broken_files_are_refused(self, tmp_path: Path) -> None:
        district(tmp_path, "good")
        folder = tmp_path / "districts"
        (folder / "broken.yaml").write_text("district: [\n")
        (folder / "empty.yaml").touch()
        (folder / "linked.yaml").symlink_to("/proc/self/environ")
        (folder / "gone.yaml").symlink_to("nowhere.yaml")
        os.mkfifo(folder / "pipe.yaml")
        (folder / "folder.yaml").mkdir()
        fleet = load(tmp_path)
        assert list(fleet.districts) == ["good"]
        assert set(fleet.refused) == {"broken", "empty", "linked", "gone", "pipe", "folder"}
        assert all(problems for problems in fleet.refused.values())
        assert fleet.complete

    def test_a_folder_that_cannot_be_listed_makes_the_fleet_incomplete(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        district(tmp_path, "good")
        (tmp_path / "districts" / "closed").mkdir()
        real = os.scandir

        def scandir(path: Path) -> object:
            # Permissions do not stop root, who may run this.
            if Path(path).name == "closed":
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        fleet = load(tmp_path)
        assert not fleet.complete
        assert told(fleet) == [
            "districts/closed:0 config.syntax: the folder cannot be read: permission denied"
        ]

    def test_a_link_to_itself_is_one_districts_trouble(self, tmp_path: Path) -> None:
        district(tmp_path, "good")
        (tmp_path / "districts" / "oak.yaml").symlink_to("oak.yaml")
        fleet = load(tmp_path)
        assert fleet.complete
        assert list(fleet.districts) == ["good"]
        assert told(fleet) == ["districts/oak.yaml:0 config.syntax: cannot be read: a loop of symbolic links"]

    def test_a_linked_folder_is_not_followed_and_makes_the_fleet_incomplete(self, tmp_path: Path) -> None:
        district(tmp_path, "oak", folder="elsewhere")
        (tmp_path / "districts").mkdir()
        (tmp_path / "districts" / "more").symlink_to("../elsewhere")
        fleet = load(tmp_path)
        assert not fleet.complete
        assert fleet.districts == {}

    @pytest.mark.parametrize("target", ["../outside", "nowhere"])
    def test_districts_elsewhere_make_the_fleet_incomplete(self, target: str, tmp_path: Path) -> None:
        district(tmp_path, "oak", folder="outside")
        root = tmp_path / "root"
        root.mkdir()
        (root / "districts").symlink_to(target)
        fleet = load_fleet(root, mappers=MAPPERS)
        assert not fleet.complete
        assert fleet.districts == {}
        assert [problem.file for problem in fleet.problems] == ["districts"]

    def test_a_name_that_cannot_be_printed_is_shown_as_an_escape(self, tmp_path: Path) -> None:
        (tmp_path / "districts").mkdir()
        (tmp_path / "districts" / "a\n\x1b\u202e.yaml").write_text("{}")
        Path(os.fsdecode(os.fsencode(tmp_path / "districts") + b"/\xff.yaml")).write_text("{}")
        files = {problem.file for problem in load(tmp_path).problems}
        assert files == {"districts/a\\n\\x1b\\u202e.yaml", "districts/\\xff.yaml"}


class TestOnlySomePaths:
    """Problems are told of the files asked for; checks between files see all."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        district(tmp_path, "elm", folder="districts/x", account="same")
        district(tmp_path, "fir", folder="districts/x", more="nonsense: 1\n")
        district(tmp_path, "oak", account="same")
        return tmp_path

    @pytest.mark.parametrize(
        ("paths", "files"),
        [
            ((), ["districts/oak.yaml", "districts/x/elm.yaml", "districts/x/fir.yaml"]),
            (("districts/oak.yaml",), ["districts/oak.yaml"]),
            (("districts/x",), ["districts/x/elm.yaml", "districts/x/fir.yaml"]),
            (("districts/x/fir.yaml", "districts/oak.yaml"), ["districts/oak.yaml", "districts/x/fir.yaml"]),
        ],
        ids=["all", "a file", "a folder", "two files"],
    )
    def test_what_was_asked_for_is_told(self, paths: tuple[str, ...], files: list[str], root: Path) -> None:
        fleet = load(root, *paths)
        assert list(fleet.checked) == files
        assert [problem.file for problem in fleet.problems] == files
        assert set(fleet.refused) == {"elm", "fir", "oak"}

    @pytest.mark.parametrize("path", ["districts/gone.yaml", "/etc/hostname", ".."])
    def test_a_path_that_is_not_there_or_not_ours_is_wrong_usage(self, path: str, root: Path) -> None:
        with pytest.raises(UsageError):
            load(root, path)


def test_the_order_of_the_file_system_does_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(12):
        district(tmp_path, f"d-{index}", folder=f"districts/{index % 3}", account=str(index % 5))
    first = load(tmp_path)
    real = os.scandir

    class Backwards:
        def __init__(self, path: Path) -> None:
            self.entries = sorted(real(path), key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", Backwards)
    second = load(tmp_path)
    assert second == first
    assert list(second.refused) == list(first.refused)
    assert second.problems
