"""What was found in a file once is not looked for again, and nothing comes out otherwise than if it were."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config import districts, reading
from reconciler.config.fleet import Fleet, load_fleet
from reconciler.config.known import Memory
from reconciler.errors import ConfigError
from tests.config.repository import DISTRICT, district
from tests.config.test_invalid_files import CASES, MAPPERS, NAMES


def said(fleet: Fleet) -> tuple[object, ...]:
    """All that a fleet says of its repository, every district read."""
    return (
        dict(fleet.districts), fleet.files, fleet.refused, fleet.problems, fleet.checked, fleet.complete,
        fleet.settings, dict(fleet.fingerprints),
    )  # fmt: skip


def read(root: Path, memory: Memory | None = None) -> Fleet:
    return load_fleet(root, mappers=MAPPERS, memories=[] if memory is None else [lambda: memory])


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, a file that is taken apart fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was read again")

    def begin() -> None:
        for module in (reading, districts):
            monkeypatch.setattr(module, "parse_district_file", refuse)
        monkeypatch.setattr(reading, "read_district_file", refuse)

    return begin


def test_a_file_that_was_right_is_not_read_again(tmp_path: Path, no_reading: Callable[[], None]) -> None:
    district(tmp_path, "oak")
    district(tmp_path, "elm", folder="districts/ca")
    memory = read(tmp_path).known
    no_reading()
    again = read(tmp_path, memory)
    assert (list(again.districts), again.problems, again.known) == (["elm", "oak"], (), memory)
    assert again.checked == ("districts/ca/elm.yaml", "districts/oak.yaml")


def test_a_file_is_known_in_another_folder_and_on_another_machine(
    tmp_path: Path, no_reading: Callable[[], None]
) -> None:
    district(tmp_path / "here", "oak")
    memory = read(tmp_path / "here").known
    district(tmp_path / "there", "oak", folder="districts/ca")
    no_reading()
    assert list(read(tmp_path / "there", memory).districts) == ["oak"]


def test_a_district_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    district(tmp_path, "oak")
    first = read(tmp_path)
    assert read(tmp_path, first.known).districts["oak"] == first.districts["oak"]


def test_a_file_that_changes_while_the_program_runs_is_told(tmp_path: Path) -> None:
    path = district(tmp_path, "oak")
    known = read(tmp_path, read(tmp_path).known)
    path.write_text(path.read_text().replace("sftp.example", "sftp.elsewhere"))
    with pytest.raises(ConfigError, match="changed while it was read"):
        known.districts["oak"]


@pytest.mark.parametrize("case", NAMES)
def test_an_invalid_file_is_told_in_full_each_time(case: str, tmp_path: Path) -> None:
    (tmp_path / "districts").mkdir()
    (tmp_path / "districts" / "riverbend-isd.yaml").write_bytes((CASES / f"{case}.yaml").read_bytes())
    first = read(tmp_path)
    again = read(tmp_path, first.known)
    assert "riverbend-isd" in again.refused
    assert said(again) == said(first)


OTHERS = {
    "a warning": ("", "sftp:\n  host: h\n  username: u\n  password: {fil: /run/secrets/oak}\n"),
    "a shared secret": ("policy: {shared_secrets: {SFTP_ALL: [sftp.example]}}", "env: SFTP_ALL"),
    "a variable with more after the id": ("", "env: SFTP_OAK_HILL_PASSWORD"),
}


@pytest.mark.parametrize(("fleet_settings", "text"), OTHERS.values(), ids=OTHERS)
def test_a_file_that_is_not_plain_is_read_each_time(tmp_path: Path, fleet_settings: str, text: str) -> None:
    path = district(tmp_path, "oak")
    if text.startswith("sftp:"):
        path.write_text(path.read_text().partition("sftp:")[0] + text + "mapper: clever\n")
    else:
        path.write_text(path.read_text().replace("env: SFTP_OAK_PASSWORD", text))
    (tmp_path / "reconciler.yaml").write_text(fleet_settings or "policy: {}\n")
    found = read(tmp_path)
    assert list(found.districts) == ["oak"]
    assert found.known == {}


class TestANeighbour:
    """What is right by itself, and wrong beside another."""

    def known(self, root: Path) -> Memory:
        district(root, "oak")
        district(root, "elm")
        memory = read(root).known
        assert len(memory) == 2
        return memory

    def codes(self, root: Path, memory: Memory) -> list[tuple[str, str]]:
        found = read(root, memory)
        assert said(found) == said(read(root))
        return [(problem.file.rpartition("/")[2], problem.code) for problem in found.problems]

    def test_takes_the_account(self, tmp_path: Path) -> None:
        memory = self.known(tmp_path)
        district(tmp_path, "yew", account="a-oak")
        assert self.codes(tmp_path, memory) == [
            ("oak.yaml", "config.duplicate"), ("yew.yaml", "config.duplicate"),
        ]  # fmt: skip

    def test_takes_the_account_and_is_wrong_otherwise_too(self, tmp_path: Path) -> None:
        memory = self.known(tmp_path)
        district(tmp_path, "yew", account="a-oak", more="colour: green\n")
        assert ("oak.yaml", "config.duplicate") in self.codes(tmp_path, memory)

    def test_is_the_same_district_in_another_folder(self, tmp_path: Path) -> None:
        memory = self.known(tmp_path)
        district(tmp_path, "oak", folder="districts/ca")
        found = self.codes(tmp_path, memory)
        assert found.count(("oak.yaml", "config.duplicate")) == 4  # of each its id, and its account

    def test_has_an_id_that_a_variable_could_be_named_after(self, tmp_path: Path) -> None:
        path = district(tmp_path, "oak")
        path.write_text(path.read_text().replace("SFTP_OAK_PASSWORD", "SFTP_OAK_HILL_PASSWORD"))
        memory = read(tmp_path).known
        district(tmp_path, "oak-hill")
        assert self.codes(tmp_path, memory) == [("oak.yaml", "secret.bound")]

    def test_has_the_same_sealed_text(self, tmp_path: Path) -> None:
        for name in ("oak", "elm"):
            district(tmp_path, name).write_text(sealed(name, "one for all" if name == "oak" else name))
        memory = read(tmp_path).known
        assert len(memory) == 2
        district(tmp_path, "yew").write_text(sealed("yew", "one for all"))
        assert self.codes(tmp_path, memory) == [("oak.yaml", "secret.bound"), ("yew.yaml", "secret.bound")]

    def test_leaves_with_its_mapper(self, tmp_path: Path) -> None:
        memory = self.known(tmp_path)
        found = load_fleet(tmp_path, mappers=("other",), memories=[lambda: memory])
        assert [p.code for p in found.problems] == ["config.reference"] * 2
        assert said(found) == said(load_fleet(tmp_path, mappers=("other",)))

    def test_is_known_and_two_memories_are_asked_in_turn(self, tmp_path: Path) -> None:
        memory = self.known(tmp_path)
        one, other = ({key: memory[key]} for key in memory)
        asked: list[str] = []

        def recall(name: str, part: Memory) -> Memory:
            asked.append(name)
            return part

        memories = [
            lambda: recall("one", one), lambda: recall("other", other), lambda: recall("third", memory),
        ]  # fmt: skip
        assert load_fleet(tmp_path, mappers=MAPPERS, memories=memories).known == memory
        assert asked == ["one", "other"]


IDS = ("oak", "oak-hill", "elm")


def sealed(name: str, text: str) -> str:
    """A district with a text that looks sealed."""
    cipher = base64.b64encode(f"age-encryption.org/v1\n-> X25519 {text}\n".encode()).decode()
    plain = TEXTS["plain"](name)
    return plain.replace(plain.partition("{env: ")[2].partition("}")[0], "").replace(
        "{env: }", f"{{age: {cipher}}}"
    )


TEXTS = {
    "plain": lambda name: DISTRICT.format(
        id=name, account=f"a-{name}", host="sftp.example", mapper="clever",
        env=f"SFTP_{name.upper().replace('-', '_')}_PASSWORD",
    ),
    "shared account": lambda name: TEXTS["plain"](name).replace(f"a-{name}", "a-all"),
    "longer variable": lambda name: TEXTS["plain"](name).replace("_PASSWORD", "_HILL_PASSWORD"),
    "shared variable": lambda name: TEXTS["plain"](name).replace("SFTP_", "SFTP_ALL_"),
    "other mapper": lambda name: TEXTS["plain"](name).replace("clever", "cleverer"),
    "sealed": lambda name: sealed(name, name),
    "sealed alike": lambda name: sealed(name, "one for all"),
    "own file": lambda name: TEXTS["plain"](name).replace("{env: ", "{file: ").replace(
        f"SFTP_{name.upper().replace('-', '_')}_PASSWORD", f"{name}/password"
    ),
    "longer file": lambda name: TEXTS["own file"](name).replace(f"{name}/password", f"{name}-hill"),
    "another's file": lambda name: TEXTS["own file"](name).replace(f"{name}/password", "elm/password"),
    "neutral file": lambda name: TEXTS["own file"](name).replace(f"{name}/password", "password"),
    "comment": lambda name: TEXTS["plain"](name) + "# a word\n",
    "warning": lambda name: TEXTS["plain"](name).replace("{env: ", "{envi: "),
    "unknown key": lambda name: TEXTS["plain"](name) + "colour: green\n",
    "other id": lambda name: TEXTS["plain"](name).replace(f"district: {name}", "district: elm"),
    "no YAML": lambda name: "district: [\n",
}  # fmt: skip
SETTINGS = (
    "",
    "policy: {}\n",
    'defaults: {sync: {schedule: "0 2 * * *"}}\n',
    "policy: {shared_secrets: {SFTP_ALL_OAK_PASSWORD: [sftp.example]}}\n",
)
edits = st.lists(
    st.tuples(
        st.sampled_from(("districts", "districts/ca")), st.sampled_from(IDS),
        st.none() | st.sampled_from(sorted(TEXTS)), st.sampled_from(SETTINGS),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(edits)
def test_whatever_is_edited_the_answer_is_that_of_reading_all(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, str, str | None, str]]
) -> None:
    root = tmp_path_factory.mktemp("fleet")
    memory: Memory = {}
    for folder, name, text, fleet_settings in edits:
        path = root / folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(TEXTS[text](name))
        (root / "reconciler.yaml").write_text(fleet_settings or "policy: {}\n")
        found = read(root, memory)
        assert said(found) == said(read(root))
        memory = {**memory, **found.known}


def test_many_files_are_read_by_several_processes_with_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        district(tmp_path, f"d{number}", account="a-same" if number in (3, 33) else "")
    alone = said(read(tmp_path))
    asked: list[int] = []

    def how_many(work: int, worth: int) -> int:
        asked.append(worth)
        return 3

    monkeypatch.setattr(reading, "how_many", how_many)
    monkeypatch.setattr("reconciler.config.listed.how_many", how_many)
    assert said(read(tmp_path)) == alone
    assert len(set(asked)) == 2  # hashing, and reading


def test_the_largest_district_of_the_country_has_room(tmp_path: Path) -> None:
    schools = [
        {"sis_id": f"{n:06d}", "school": f"lincoln-elementary-{n:05d}", "name": f"Lincoln School {n}"}
        for n in range(2000)
    ]
    path = district(tmp_path, "new-york", more=f"schools: {json.dumps(schools, indent=1)}\n")
    assert path.stat().st_size > 200_000
    assert len(read(tmp_path).districts["new-york"].schools) == 2000
