"""Where each setting of a district comes from: its file, the fleet's defaults, the policy, or the program.

Values are shown as they count. A value that the schema refuses is not shown: it may be a secret that was
written in the wrong place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from reconciler.config.defaults import KEY, Defaults
from reconciler.config.district import District, Sftp
from reconciler.config.district_checks import SECRETS, value_at
from reconciler.config.policy import Policy
from reconciler.documents.document import Document
from reconciler.documents.node import Path, dotted
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import Problem

Source = Literal["district", "defaults", "policy", "built-in default", "missing"]

SCHEMA = "district.schema.json"
_UNSET = District("", "", "", Sftp("", ""), "").to_json()
_REQUIRED = frozenset({"district", "name", "account", "sftp.host", "sftp.username", "mapper"})
_BESIDE = {"sftp.passphrase": {"private_key": {"env": "ANY"}}}
"""What a value needs beside it to be of any use."""
_OPTIONAL = frozenset(f"sftp.{name}" for name in SECRETS)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it counts for a district."""

    path: str
    value: Any
    """Plain JSON. None where it is missing, or not shown."""
    source: Source
    file: str | None = None
    """Relative to the root; None for what is built in or missing."""
    line: int | None = None
    """Of its key, from 1."""
    problem: str = ""
    """What is wrong with it."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def district_settings(
    own: Document, fleet: Document | None, defaults: Defaults, problems: Sequence[Problem]
) -> list[Setting]:
    """Every setting of one district, in the order of a district's file.

    `fleet` is reconciler.yaml, where there is one; `problems` are all that were found in the district.
    """
    return [_judged(setting, problems, own) for setting in _settings(own, fleet, defaults)]


def _settings(own: Document, fleet: Document | None, defaults: Defaults) -> Iterator[Setting]:
    whole = defaults.complete(own).value
    for path, unset in _leaves(_UNSET):
        name, value = dotted(path), value_at(whole, *map(str, path))
        if own.node(path):
            yield _at(own, path, Setting(name, value, "district"))
        elif value is not None and fleet:
            yield _at(fleet, (KEY, *path), Setting(name, value, "defaults"))
        elif name in _REQUIRED:
            yield Setting(name, None, "missing")
        elif name not in _OPTIONAL:
            yield Setting(name, unset, "built-in default")


def policy_settings(fleet: Document | None, policy: Policy, variables: Sequence[str]) -> list[Setting]:
    """Every rule of reconciler.yaml that the district is held to.

    Of `policy.shared_secrets`, only these environment variables: those that the district names.
    """
    rules = asdict(policy)
    shared = rules.pop("shared_secrets")
    rules["shared_secrets"] = {name: shared[name] for name in variables if name in shared}
    found = []
    for below, value in _leaves(rules):
        path: Path = ("policy", *below)
        setting = Setting(
            dotted(path), list(value) if isinstance(value, tuple) else value, "built-in default"
        )
        said = fleet is not None and fleet.node(path)
        found.append(_at(fleet, path, replace(setting, source="policy")) if fleet and said else setting)
    return found


def _leaves(value: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Mappings are walked; lists and scalars are leaves."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, (*above, key))
        else:
            yield (*above, key), inner


def _at(document: Document, path: Path, setting: Setting) -> Setting:
    return replace(setting, file=document.file, line=document.position(path, key=True)[0])


def _judged(setting: Setting, problems: Sequence[Problem], own: Document) -> Setting:
    """With what is wrong with it; what has the wrong form is not shown."""
    about = [p for p in problems if p.severity == "error" and _is_within(p.path, setting)]
    judged = replace(setting, problem=about[0].message) if about else setting
    if setting.source == "district" and not _has_form(setting, own):
        return replace(judged, value=None, problem=judged.problem or "is not of the required form")
    return judged


def _has_form(setting: Setting, own: Document) -> bool:
    """Asked for each value alone: of a file with very many problems not all are told."""
    *above, key = setting.path.split(".")
    alone = {key: setting.value, **_BESIDE.get(setting.path, {})}
    for section in above:
        alone = {section: alone}
    problems = schema_problems(replace(own, value=alone), load_schema(SCHEMA), file=own.file)
    return not any(_is_within(p.path, setting) for p in problems)


def _is_within(path: str, setting: Setting) -> bool:
    own = path.removeprefix(f"{KEY}.") if setting.source == "defaults" else path
    return own == setting.path or own.startswith((f"{setting.path}.", f"{setting.path}["))
