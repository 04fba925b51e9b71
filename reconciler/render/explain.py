"""The settings of one district as text and JSON, each with the place that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.config.explain import Setting
from reconciler.config.secret_rules import SecretRule
from reconciler.errors import Problem
from reconciler.mapping.library import LoadedMapper
from reconciler.render.problems import is_ok, problem_lines
from reconciler.render.text import coloured, plural, table

_WIDTH = 60
"""Characters of a value in the table; JSON has all of it."""
_NOT_VALID = "(not valid)"


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is told of one district."""

    district: str
    file: str
    settings: Sequence[Setting]
    mapper: Sequence[LoadedMapper]
    """The mapper, then what it extends; empty where there is none of this name."""
    secrets: Sequence[SecretRule]
    problems: Sequence[Problem]

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": is_ok(self.problems),
            "district": self.district,
            "file": self.file,
            "settings": [s.to_json() for s in self.settings],
            "mapper": [_mapper_json(m) for m in self.mapper],
            "secrets": [s.to_json() for s in self.secrets],
            "problems": [p.to_json() for p in self.problems],
        }


def explanation_text(told: Explanation) -> str:
    """A table of the settings, the mapper and the secrets in words, and what is wrong."""
    own = [s for s in told.settings if not s.path.startswith("policy.")]
    rules = [s for s in told.settings if s.path.startswith("policy.")]
    parts = [
        f"{told.district}  {told.file}",
        _table("SETTING", own) if own else "The file cannot be read, so its settings are not known.",
        _table("POLICY", rules),
        "\n".join([*_mapper_lines(told.mapper), *map(_secret_line, told.secrets)]),
        "\n".join(_verdict(told)),
    ]
    return "\n\n".join(part for part in parts if part)


def _table(name: str, settings: Sequence[Setting]) -> str:
    return table((name, "VALUE", "FROM"), [(s.path, _value(s), _origin(s)) for s in settings])


def _value(setting: Setting) -> str:
    if setting.source == "missing":
        return coloured("error", "(missing)")
    if setting.value is None:
        return coloured("error", _NOT_VALID)
    text = _words(setting)
    short = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
    return coloured("error", short) if setting.problem else short


def _words(setting: Setting) -> str:
    value = setting.value
    if setting.path in ("schools", "ignored_schools"):
        return plural(len(value), "school") if value else "(none)"
    if setting.path == "sync.pause":
        return ", ".join(f"{p['from']} to {p['until']}" for p in value) or "(none)"
    if isinstance(value, dict):
        return _pairs(value)
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return "(none)" if value == "" else str(value)


def _pairs(value: Mapping[str, Any]) -> str:
    """As YAML writes a mapping in one line, the outer braces left out."""
    shown = {k: f"{{{_pairs(v)}}}" if isinstance(v, dict) else v for k, v in value.items()}
    return ", ".join(f"{name}: {inner}" for name, inner in shown.items())


def _origin(setting: Setting) -> str:
    if setting.source == "missing":
        return "nowhere"
    if setting.file is None:
        return setting.source
    place = f"{setting.file}:{setting.line}"
    return f"{place} (defaults)" if setting.source == "defaults" else place


def _mapper_json(mapper: LoadedMapper) -> dict[str, Any]:
    return {
        "name": mapper.name,
        "origin": "built-in" if mapper.builtin else "repository",
        "file": None if mapper.builtin else mapper.file,
        "ok": is_ok(mapper.problems),
    }


def _mapper_lines(line: Sequence[LoadedMapper]) -> list[str]:
    if not line:
        return []
    named = [f"{m.name} ({'built in' if m.builtin else m.file})" for m in line]
    return [f"mapper: {', which extends '.join(named)}"]


def _secret_line(secret: SecretRule) -> str:
    words = secret.rule if secret.allowed else coloured("error", secret.rule)
    return f"{secret.path} {{{secret.provider}: {secret.reference}}}: {words}"


def _verdict(told: Explanation) -> list[str]:
    if not told.problems:
        return ["No problem was found in its files."]
    refused = (
        "" if is_ok(told.problems) else " Nothing is carried out for this district until they are mended."
    )
    lines = [line for problem in told.problems for line in problem_lines(problem)]
    return [*lines, f"{plural(len(told.problems), 'problem')}.{refused}"]
