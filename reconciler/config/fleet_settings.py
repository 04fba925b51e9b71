"""reconciler.yaml as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.config.database_url import holds_password
from reconciler.config.defaults import FILE, Defaults, defaults_problems, read_defaults
from reconciler.config.misplaced import in_its_place
from reconciler.config.policy import Allowance, ContactSafety, FleetSettings, Policy, Retention
from reconciler.documents.document import Document
from reconciler.documents.pasted import CODE as LITERAL
from reconciler.documents.reader import open_document
from reconciler.documents.schema import load_schema, schema_problems
from reconciler.errors import ConfigError, Problem

SCHEMA = "fleet.schema.json"
MAX_BYTES = 1024 * 1024


def load_fleet_settings(root: Path) -> tuple[FleetSettings, tuple[Problem, ...]]:
    """The settings, and the secrets that stand in them; defaults where there is no reconciler.yaml.

    A secret that was pasted is an error to `validate`; the rules are good all the same, and hold.

    Raises ConfigError with every problem: rules that cannot be read must not be taken for no rules.
    """
    _refuse_other_names(root)
    path = root / FILE
    if not path.exists() and not path.is_symlink():
        return FleetSettings(), ()
    document, found = open_document(path, display=FILE, max_bytes=MAX_BYTES, root=root)
    pasted = [problem for problem in found if problem.code == LITERAL]
    problems = [problem for problem in found if problem.code != LITERAL]
    problems += _problems(document) if document else ()
    if document is None or problems:
        raise ConfigError(f"{FILE} is not valid, so no district is touched", [*problems, *pasted])
    return _settings(document.value, read_defaults(document)), tuple(_literals(document, pasted))


def fleet_document(root: Path) -> Document | None:
    """reconciler.yaml as it stands, for the lines of its settings; None where there is none."""
    return open_document(root / FILE, display=FILE, max_bytes=MAX_BYTES, root=root)[0]


def _problems(document: Document) -> list[Problem]:
    """What the schema and the checks of districts' values say; the schema's word is enough for a value."""
    misshapen = [in_its_place(p, SCHEMA) for p in schema_problems(document, load_schema(SCHEMA), file=FILE)]
    blamed = {problem.path for problem in misshapen}
    return [*misshapen, *(p for p in defaults_problems(document) if p.path not in blamed)]


def _refuse_other_names(root: Path) -> None:
    for name in ("reconciler.yml", "reconciler.json"):
        if (root / name).exists():
            problem = Problem(
                "config.syntax",
                "error",
                name,
                0,
                0,
                "",
                f"is not read: the name is {FILE}",
                f"rename it to {FILE}",
            )
            raise ConfigError(f"{name} is not read", [problem])


def _settings(value: dict[str, Any], fleet_defaults: Defaults) -> FleetSettings:
    policy = value.get("policy", {})
    defaults = Policy()
    return FleetSettings(
        database_url=value.get("database_url"),
        policy=Policy(
            host_keys=policy.get("host_keys", defaults.host_keys),
            hosts=tuple(policy.get("hosts", defaults.hosts)),
            shared_secrets={name: tuple(hosts) for name, hosts in policy.get("shared_secrets", {}).items()},
            age_recipients=tuple(policy.get("age_recipients", defaults.age_recipients)),
            retire_after_days=policy.get("retire_after_days", defaults.retire_after_days),
            max_reject_percent=policy.get("max_reject_percent", defaults.max_reject_percent),
            contact_safety=_contact_safety(policy.get("contact_safety", {})),
            retention=Retention(**policy.get("retention", {})),
        ),
        defaults=fleet_defaults,
    )


def _contact_safety(value: dict[str, Any]) -> ContactSafety:
    defaults = ContactSafety()
    said: dict[str, Any] = {k: _limit(getattr(defaults, k), v) for k, v in value.items()}
    return replace(defaults, **said)


def _limit(default: Allowance | int, value: Any) -> Allowance | int:
    """What the file says of a limit; of an allowance, what it leaves out has its default."""
    return replace(default, **value) if isinstance(default, Allowance) else int(value)


def _literals(document: Document, pasted: Sequence[Problem]) -> list[Problem]:
    if not holds_password(document.value.get("database_url", "")):
        return list(pasted)
    line, _ = document.position(("database_url",))
    return [
        *(problem for problem in pasted if problem.line != line),
        document.problem(
            ("database_url",),
            LITERAL,
            "the database's password stands in a file that git keeps for ever",
            "change the password, and give the URL in RECONCILER_DATABASE_URL",
        ),
    ]
