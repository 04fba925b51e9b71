"""Every built-in mapper has a page, and the page says what the mapper does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.mapping.library import builtin, builtin_names

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/mappers"


def test_the_pages_are_those_that_the_mappers_give() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs/mapper_pages.py"), "--check"],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_has_a_page_that_names_its_sources(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    mapper = builtin(name).mapper
    assert mapper is not None
    assert text.count("Written from:\n\n- ") == 1
    assert [f"## {entity.capitalize()}" in text for entity in mapper.entities] == [True] * len(
        mapper.entities
    )


def test_the_list_of_mappers_has_them_all() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^\| \[`([^`]+)`\]\(\1\.md\)", text, flags=re.MULTILINE)) == builtin_names()
    listed = (ROOT / "docs/mapper.md").read_text(encoding="utf-8").partition("## Files")[0]
    assert [name for name in builtin_names() if f"`{name}`" not in listed] == []
