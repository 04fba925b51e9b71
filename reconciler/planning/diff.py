"""Field by field, what differs between two connections. No field is special here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.config.district import NEXT, District, SecretRef, Sftp, ref_from_json
from reconciler.planning.change import FieldChange
from reconciler.planning.connection import Connection

MAPPER_CONTENT = "mapper.content"
"""The path under which a mapper that changed under its name appears."""


def diff(before: Connection | None, after: Connection) -> tuple[FieldChange, ...]:
    """The fields that differ, sorted by path; without `before`, those that are not left at their default."""
    old = dict(_flat(before)) if before else {}
    new = dict(_flat(after))
    if before is None:
        new = {path: value for path, value in new.items() if _DEFAULTS.get(path) != value}
    paths = sorted(old.keys() | new.keys())
    return tuple(
        FieldChange(path, *_shown(old.get(path), new.get(path)))
        for path in paths
        if old.get(path) != new.get(path)
    )


def _shown(before: Any, after: Any) -> tuple[Any, Any]:
    """Both values as reports may have them: of a secret where it is found, of a sealed one that it is."""
    if isinstance(before, SecretRef) and isinstance(after, SecretRef) and str(before) == str(after):
        return str(before), "age (sealed anew)" if after.provider == "age" else f"{after} anew"
    return tuple(str(v) if isinstance(v, SecretRef) else v for v in (before, after))  # type: ignore[return-value]


_UNSET = District("", "", "", Sftp("", ""), "")


def _flat(connection: Connection) -> Iterator[tuple[str, Any]]:
    document = connection.district.to_json()
    schools = document.pop("schools")
    ignored = document.pop("ignored_schools")
    yield from _leaves("", document)
    for school in schools:
        yield f"schools[{school['sis_id']}]", school["school"]
        if school["name"]:
            yield f"schools[{school['sis_id']}].name", school["name"]
    for sis_id in ignored:
        yield f"ignored_schools[{sis_id}]", True
    yield MAPPER_CONTENT, connection.mapper_digest[:12]


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Mappings are walked; references, lists and scalars are leaves; what is not set is left out."""
    if isinstance(value, dict) and not prefix.endswith(("password.", "private_key.", "passphrase.")):
        for key, inner in value.items():
            yield from _leaves(f"{prefix}{key}.", inner)
    elif isinstance(value, dict):
        ref = ref_from_json(value)
        if ref:
            yield prefix[:-1], replace(ref, next="", next_provider="")
        if ref and ref.successor:
            yield f"{prefix}{NEXT}", ref.successor
    elif value not in (None, "", []):
        yield prefix[:-1], value


_DEFAULTS = dict(_flat(Connection(_UNSET, "")))
