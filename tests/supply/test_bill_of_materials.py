""".ci/sbom.cdx.json lists exactly what requirements.txt locks, and no licence in it stands against ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BILL: dict[str, Any] = json.loads((ROOT / ".ci" / "sbom.cdx.json").read_text(encoding="utf-8"))
COMPONENTS: list[dict[str, Any]] = BILL["components"]

MAY_BE_USED = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0",
    "Unlicense", "Apache-2.0 OR BSD-3-Clause", "Apache-2.0 OR MIT", "MIT OR Apache-2.0",
}  # fmt: skip
"""Licences under which anyone may use a package in a program under Apache-2.0."""
AS_A_LIBRARY = {
    "paramiko": "LGPL-2.1",
    "psycopg": "LGPL-3.0-only",
    "psycopg-binary": "LGPL-3.0-only",
    "asyncssh": "EPL-2.0 OR GPL-2.0-or-later",
}
"""Packages that may be used as they are: imported, not changed, and exchangeable by whoever installs them.

asyncssh is the server of the demo and of the tests, and no part of a sync.
"""


def locked() -> dict[str, tuple[str, list[str]]]:
    """From requirements.txt: each package with its version and its hashes."""
    found = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text(encoding="utf-8").strip()):
        name, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", entry).groups()  # type: ignore[union-attr]
        found[name.lower()] = version, sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return found


def licence(component: dict[str, Any]) -> str:
    """The licence as SPDX writes it; empty where none is known."""
    said = component.get("licenses", [])
    return " AND ".join(one.get("expression") or one["license"].get("id", "") for one in said)


def test_it_lists_what_is_locked_with_versions_and_hashes_and_nothing_else() -> None:
    listed = {
        c["name"]: (c["version"], [h["content"] for r in c["externalReferences"] for h in r["hashes"]])
        for c in COMPONENTS
    }
    assert listed == locked(), "run `make sbom`"
    assert len(COMPONENTS) == len(listed)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda c: c["name"])
def test_each_package_has_a_licence_that_goes_with_ours(component: dict[str, Any]) -> None:
    name = component["name"]
    assert component["purl"] == f"pkg:pypi/{name}@{component['version']}"
    assert licence(component) == AS_A_LIBRARY.get(name, licence(component))
    assert licence(component) in MAY_BE_USED | {AS_A_LIBRARY.get(name, "MIT")}


def test_the_packages_that_are_declared_are_the_ones_that_the_program_needs() -> None:
    declared = re.search(r"\ndependencies = \[\n(.*?)\n\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert declared is not None
    names = set(re.findall(r'^    "([\w-]+)', declared[1], re.MULTILINE)) | {"asyncssh"}
    (needs,) = BILL["dependencies"]
    assert {re.match(r"pkg:pypi/(.+)@", ref)[1] for ref in needs["dependsOn"]} == names  # type: ignore[index]


def test_it_is_the_same_whoever_makes_it_and_names_no_place_to_fetch_from() -> None:
    text = (ROOT / ".ci" / "sbom.cdx.json").read_text(encoding="utf-8")
    assert (BILL["bomFormat"], BILL["specVersion"]) == ("CycloneDX", "1.6")
    assert "serialNumber" not in BILL
    assert "timestamp" not in BILL["metadata"]
    assert re.findall(r"https?://[^\"]+", text) == ["http://cyclonedx.org/schema/bom-1.6.schema.json"]
