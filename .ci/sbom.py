"""Writes .ci/sbom.cdx.json, the bill of materials of what is installed with the program (CycloneDX 1.6).

cyclonedx-py knows two halves of it: what requirements.txt locks, with every hash, and what the installed
packages say of their licences. This joins them. Of every package the place is its package URL: where it is
fetched from is for whoever installs it.

    .venv-audit/bin/python .ci/sbom.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.txt"
TO = ROOT / ".ci" / "sbom.cdx.json"
UNDECLARED = {"pyrage": "MIT"}
"""Packages whose metadata names no licence: what their source repository has."""


def main() -> int:
    """Write the bill; the installed packages are those of .venv, whose versions requirements.txt shares."""
    bill = _made("requirements", "--short-PURLs", "--pyproject", str(ROOT / "pyproject.toml"), str(LOCK))
    installed = _made("environment", str(ROOT / ".venv" / "bin" / "python"))
    licences = {_key(c): c.get("licenses", []) for c in installed["components"]}
    for component in bill["components"]:
        _complete(component, licences.get(_key(component), []))
    bill["components"].sort(key=lambda c: c["name"])
    _rename(bill, installed)
    TO.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TO.name}: {len(bill['components'])} components\n")
    return 0


def _made(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cyclonedx_py", *arguments[:1], "--output-reproducible", "--sv", "1.6"]
    done = subprocess.run([*command, *arguments[1:]], check=True, stdout=subprocess.PIPE, cwd=ROOT)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _key(component: dict[str, Any]) -> tuple[str, str]:
    return component["name"].lower().replace("_", "-").replace(".", "-"), component["version"]


def _complete(component: dict[str, Any], licences: list[dict[str, Any]]) -> None:
    del component["description"]
    for reference in component["externalReferences"]:
        reference["url"] = component["purl"]
        reference["hashes"].sort(key=lambda one: one["content"])
        reference.pop("comment", None)
    undeclared = UNDECLARED.get(component["name"])
    # A classifier beside an SPDX name says the same again, less exactly.
    exact = [one for one in licences if "expression" in one or "id" in one.get("license", {})]
    found = exact[:1] or licences
    if not found and undeclared:
        found = [{"license": {"acknowledgement": "concluded", "id": undeclared}}]
    if found:
        component["licenses"] = found


def _rename(bill: dict[str, Any], installed: dict[str, Any]) -> None:
    """Components by their package URL instead of by their line in a file, which moves.

    Of what needs what only the program's own needs are told: for others the tool counts their extras as well.
    """
    for component in bill["components"]:
        component["bom-ref"] = component["purl"]
    refs = {c["bom-ref"]: _key(c) for c in installed["components"]}
    purls = {_key(c): c["purl"] for c in bill["components"]}
    root = bill["metadata"]["component"]
    own = next(d for d in installed["dependencies"] if refs[d["ref"]][0] == root["name"])
    direct = sorted(purls[refs[ref]] for ref in own["dependsOn"] if refs[ref] in purls)
    bill["dependencies"] = [{"ref": root["bom-ref"], "dependsOn": direct}]
    for tool in bill["metadata"]["tools"]["components"]:
        tool.pop("externalReferences", None)


if __name__ == "__main__":
    sys.exit(main())
