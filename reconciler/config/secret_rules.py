"""Which rule lets a district's secret be sent, and where to: in words, without the secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from reconciler.config.borrowed import is_listed, other_owner
from reconciler.config.district import NEXT
from reconciler.config.district_checks import SECRETS
from reconciler.config.explain import Setting
from reconciler.config.fleet_checks import rule_of
from reconciler.config.policy import Policy
from reconciler.config.vault_reference import vault_reference

_OURS = re.compile(r"SFTP_[A-Z0-9_]+")
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
    """The rule of each secret that has a form at all, of one that is being rotated in as well."""
    return [_rule(*named, asker) for setting in settings for named in _named(setting)]


def variables_of(settings: Sequence[Setting]) -> list[str]:
    """The environment variables that a district names."""
    return [
        reference for setting in settings for _, provider, reference in _named(setting) if provider == "env"
    ]


def without_secrets(settings: Sequence[Setting], asker: Asker) -> list[Setting]:
    """The settings, each secret's reference as far as it is surely no secret itself."""
    return [
        replace(setting, value=_masked(setting.value, asker)) if _is_secret(setting) else setting
        for setting in settings
    ]


_PATHS = frozenset(f"sftp.{name}" for name in SECRETS)


def _is_secret(setting: Setting) -> bool:
    return setting.path in _PATHS and isinstance(setting.value, dict)


def _named(setting: Setting) -> Iterator[tuple[str, str, str]]:
    """Path, provider and reference of the secret, and of the `next` one where there is one."""
    if _is_secret(setting):
        for key, reference in setting.value.items():
            path = f"{setting.path}.{NEXT}" if key == NEXT else setting.path
            inner = reference if isinstance(reference, dict) else {_provider(key, setting.value): reference}
            yield from ((path, provider, str(text)) for provider, text in inner.items())


def _provider(key: str, value: Mapping[str, Any]) -> str:
    """`next` without one of its own is of the provider that it stands beside."""
    return next((name for name in value if name != NEXT), "") if key == NEXT else key


def _masked(value: Mapping[str, Any], asker: Asker) -> dict[str, Any]:
    return {
        key: _masked(reference, asker)
        if isinstance(reference, dict)
        else _shown(_provider(key, value), str(reference), asker)
        for key, reference in value.items()
    }


def _shown(provider: str, reference: str, asker: Asker) -> str:
    """A password that was typed as the name of something is not repeated."""
    if provider == "age":
        return SEALED
    if provider == "env":
        known = _OURS.fullmatch(reference) or reference in asker.policy.shared_secrets
        return reference if known else HIDDEN
    return reference if provider == "file" or provider in asker.providers else HIDDEN


def _rule(path: str, provider: str, reference: str, asker: Asker) -> SecretRule:
    allowed, words = _words(provider, reference, asker)
    return SecretRule(path, provider, _shown(provider, reference, asker), words, allowed)


def _words(provider: str, reference: str, asker: Asker) -> tuple[bool, str]:
    if provider in _OF_ITS_OWN:
        if is_listed(f"{provider}:{reference}", asker.host, asker.policy):
            return True, _listed_words(asker)
        return _OF_ITS_OWN[provider](reference, asker)
    if provider in asker.providers:
        return True, f"the installed provider {provider} decides"
    return False, "no provider of this name is installed here"


def _listed_words(asker: Asker) -> str:
    return f"policy.shared_secrets lets it be sent to {asker.host}"


def _sealed_words(reference: str, asker: Asker) -> tuple[bool, str]:
    return True, "sealed for one district and its server: opened nowhere else (secret.bound)"


def _file_words(name: str, asker: Asker) -> tuple[bool, str]:
    owner = other_owner(name, asker.district, asker.ids)
    if owner:
        return False, f"a file that is named after the district {owner} (secret.bound)"
    return True, "a file under RECONCILER_SECRETS_DIR; any district may name it, so the review decides"


def _vault_words(reference: str, asker: Asker) -> tuple[bool, str]:
    try:
        own = vault_reference(reference).names(asker.district)
    except ValueError as error:
        return False, f"the reference to Vault {error}"
    if own:
        return True, "its path in Vault names this district, and what it says of host and user must be so"
    return False, "its path in Vault does not name this district (secret.bound)"


def _variable_words(variable: str, asker: Asker) -> tuple[bool, str]:
    rule = rule_of(variable, district=asker.district, host=asker.host, ids=asker.ids, policy=asker.policy)
    if rule == "shared":
        return True, _listed_words(asker)
    if rule == "own":
        return True, f"its name is this district's own, so it may be sent to {asker.host}"
    return False, "no rule lets it be sent (secret.bound)"


_OF_ITS_OWN: dict[str, Callable[[str, Asker], tuple[bool, str]]] = {
    "env": _variable_words,
    "file": _file_words,
    "vault": _vault_words,
    "age": _sealed_words,
}
"""The providers that have a rule here."""
