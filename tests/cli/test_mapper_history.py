"""A mapper as it was is found in git by the digest that the database keeps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.cli.git.asking import Git
from reconciler.cli.git.mapper_history import MapperHistory
from reconciler.mapping.library import MapperLibrary
from reconciler.settings import Settings
from tests.cli.test_since import MAPPER, Checkout


def digest(checkout: Checkout, name: str = "acme") -> str:
    return MapperLibrary(checkout.root).get(name).digest


def files(delimiter: str) -> dict[str, object]:
    return {"students": {"pattern": "students.csv", "delimiter": delimiter}}


def found(checkout: Checkout, wanted: str, name: str = "acme", first: str = "") -> str | None:
    """The commit that the mapper of a digest is found in; empty: the work tree; None: nowhere."""
    git = Git(checkout.root, Settings.from_env(dict(os.environ)))
    with MapperHistory(git, [first], MapperLibrary(checkout.root)) as history:
        version = history.find(name, lambda one: one == wanted)
    if version is None:
        return None
    assert version[0].digest == wanted
    return version[1]


@pytest.fixture(params=["", "config/of the fleet"], ids=["at the top", "in a sub-folder"])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    """Three versions of acme, the last one not committed, and a mapper that extends it."""
    made = Checkout(tmp_path / "checkout", request.param)
    made.mapper("north", extends="acme", files={"students": {"encoding": "cp1252"}})
    for delimiter in (",", ";"):
        made.mapper("acme", files=files(delimiter))
        made.commit()
    made.mapper("acme", files=files("|"))
    return made


def version(checkout: Checkout, delimiter: str, name: str = "acme") -> str:
    path = checkout.root / "mappers/acme.json"
    before = path.read_text()
    checkout.mapper("acme", files=files(delimiter))
    wanted = digest(checkout, name)
    path.write_text(before)
    return wanted


@pytest.mark.parametrize("name", ["acme", "north"], ids=["itself", "one that extends it"])
def test_every_version_is_found_where_it_is(checkout: Checkout, name: str) -> None:
    newest, oldest = checkout.git("rev-list", "HEAD").split()
    assert found(checkout, version(checkout, "|", name), name) == ""
    assert found(checkout, version(checkout, ";", name), name) == newest
    assert found(checkout, version(checkout, ",", name), name) == oldest
    assert found(checkout, version(checkout, "\t", name), name) is None


def test_a_commit_that_is_likely_is_looked_at_first(checkout: Checkout) -> None:
    newest = checkout.git("rev-parse", "HEAD")
    checkout.git("commit", "--quiet", "--allow-empty", "--message", "Nothing")
    later = checkout.git("rev-parse", "HEAD")
    assert found(checkout, version(checkout, ";"), first=later) == later
    assert found(checkout, version(checkout, ";")) == newest


@pytest.mark.parametrize(
    "first", ["--output=pwned", "f" * 40, "HEAD"], ids=["an option", "nothing", "a name"]
)
def test_what_is_no_commit_is_passed_over(checkout: Checkout, first: str) -> None:
    assert found(checkout, version(checkout, ";"), first=first) == checkout.git("rev-parse", "HEAD")


def test_a_built_in_mapper_is_found_and_one_that_hid_it_as_well(checkout: Checkout) -> None:
    built_in = digest(checkout, "generic")
    path = checkout.mapper("generic", **MAPPER)
    checkout.commit()
    hiding = digest(checkout, "generic")
    path.unlink()
    assert found(checkout, built_in, "generic") == ""
    assert found(checkout, hiding, "generic") == checkout.git("rev-parse", "HEAD")


def test_a_link_is_not_followed(checkout: Checkout) -> None:
    (checkout.root / "mappers/link.json").symlink_to("/etc/passwd")
    checkout.commit()
    (checkout.root / "mappers/link.json").unlink()
    assert found(checkout, "0" * 64, "link") is None


def test_outside_of_git_only_the_work_tree_is_known(tmp_path: Path) -> None:
    made = Checkout(tmp_path / "checkout")
    made.mapper("acme")
    (made.top / ".git").rename(tmp_path / "elsewhere")
    assert found(made, digest(made)) == ""
    assert found(made, "0" * 64) is None
