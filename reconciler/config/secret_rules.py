"""Which rule lets a district's secret be sent, and where to: in words, without the secret."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from reconciler.config.district_checks import SECRETS
from reconciler.config.explain import Setting
from reconciler.config.fleet_checks import rule_of
from reconciler.config.policy import Policy

_OURS = re.compile(r"SFTP_[A-Z0-9_]+")
_SEALED = ("age", "next")
SEALED = "(sealed)"
HIDDEN = "(not shown)"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """One secret of a district."""

    path: str
    provider: str
    reference: str
    """What the provider looks up, as far as it is surely no secret itself."""
    rule: str
    """What lets it be sent to the district's server, or why nothing does."""
    allowed: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a secret: what its rules look at."""

    district: str
    host: str
    ids: Collection[str]
    """Of all districts: a variable's name belongs to the longest that fits."""
    policy: Policy
    providers: Collection[str]
    """Names that installed packages have registered."""


def secret_rules(settings: Sequence[Setting], asker: Asker) -> list[SecretRule]:
    """The rule of each secret that has a form at all."""
    return [
        _rule(setting.path, provider, str(reference), asker)
        for setting in settings
        if setting.path in _PATHS and isinstance(setting.value, dict)
        for provider, reference in setting.value.items()
    ]


def variables_of(settings: Sequence[Setting]) -> list[str]:
    """The environment variables that a district names."""
    return [str(s.value["env"]) for s in settings if s.path in _PATHS and _names_variable(s.value)]


def without_secrets(settings: Sequence[Setting], asker: Asker) -> list[Setting]:
    """The settings, each secret's reference as far as it is surely no secret itself."""
    return list(_masked(settings, asker))


_PATHS = frozenset(f"sftp.{name}" for name in SECRETS)


def _names_variable(value: Any) -> bool:
    return isinstance(value, dict) and "env" in value


def _masked(settings: Sequence[Setting], asker: Asker) -> Iterator[Setting]:
    for setting in settings:
        if setting.path in _PATHS and isinstance(setting.value, dict):
            shown = {p: _shown(p, str(r), asker) for p, r in setting.value.items()}
            yield replace(setting, value=shown)
        else:
            yield setting


def _shown(provider: str, reference: str, asker: Asker) -> str:
    """A password that was typed as the name of something is not repeated."""
    if provider in _SEALED:
        return SEALED
    if provider == "env":
        known = _OURS.fullmatch(reference) or reference in asker.policy.shared_secrets
        return reference if known else HIDDEN
    return reference if provider == "file" or provider in asker.providers else HIDDEN


def _rule(path: str, provider: str, reference: str, asker: Asker) -> SecretRule:
    allowed, words = _words(provider, reference, asker)
    return SecretRule(path, provider, _shown(provider, reference, asker), words, allowed)


def _words(provider: str, reference: str, asker: Asker) -> tuple[bool, str]:
    if provider == "env":
        return _variable_words(reference, asker)
    if provider == "file":
        return True, "a file under RECONCILER_SECRETS_DIR; any district may name it, so the review decides"
    if provider in _SEALED:
        return True, "sealed for one district and its server: opened nowhere else (secret.bound)"
    if provider in asker.providers:
        return True, f"the installed provider {provider} decides"
    return False, "no provider of this name is installed here"


def _variable_words(variable: str, asker: Asker) -> tuple[bool, str]:
    rule = rule_of(variable, district=asker.district, host=asker.host, ids=asker.ids, policy=asker.policy)
    if rule == "shared":
        return True, f"policy.shared_secrets lets it be sent to {asker.host}"
    if rule == "own":
        return True, f"its name is this district's own, so it may be sent to {asker.host}"
    return False, "no rule lets it be sent (secret.bound)"
