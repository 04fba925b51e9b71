"""The file of a new district: what is known, what is missing by its placeholder, and comments that teach."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.authoring.building import build
from reconciler.authoring.district_text import modeline
from reconciler.authoring.piece import Entry, Piece
from reconciler.authoring.printing import WIDTH, printed
from reconciler.authoring.schools import in_braces, writable
from reconciler.authoring.shape import Shape
from reconciler.config.district import District, SchoolMapping
from reconciler.config.placeholders import MARK

MAX_LISTED = 500
"""Schools that are written as comments: with the wrong mapper every student may seem to be a school."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What is written as comments, for a person to decide."""

    host_key_shown: str = ""
    """The fingerprint of a key that nobody has confirmed."""
    mappers: Sequence[str] = ()
    """Names to choose from, where the mapper is not known."""
    schools: Sequence[tuple[SchoolMapping, int]] = field(default=())
    """Schools that the files name with the suggested id of the platform, each with its students."""


def template(
    district: District,
    learned: Learned,
    fleet: Mapping[str, Any],
    *,
    schema: Mapping[str, Any],
    schema_path: str,
) -> str:
    """The text of the file, in canonical form; what the defaults of the `fleet` say is left to them."""
    root = build(_unlike(_value(district), fleet), Shape.of(schema))
    sftp = _entry(root, "sftp")
    _entry(root, "district").beside = "# the same as the file's name without .yaml"
    _entry(root, "account").beside = "# the platform's account number of the district, in quotes"
    secret = next(e for e in sftp.value.entries if e.key in ("password", "private_key"))
    secret.above = [
        "# Where the secret is found, never the secret: {env: …}, a variable whose name begins so,",
        "# or {file: …}, a file under RECONCILER_SECRETS_DIR.",
    ]
    _host_key(sftp.value, district, learned)
    for mapper in (e for e in root.entries if e.key == "mapper"):
        mapper.above = _mapper_comment(district, learned)
    if learned.schools:
        root.foot += _schools_comment(district.id, learned.schools)
    elif not district.schools:
        root.foot += _no_schools_comment(district.id)
    return printed([modeline(schema_path)], root)


def _value(district: District) -> dict[str, Any]:
    whole = district.to_json()
    sftp = {key: value for key, value in whole["sftp"].items() if value}
    if len(district.sftp.host_key) == 1:
        sftp["host_key"] = district.sftp.host_key[0]
    schools = [{k: v for k, v in school.items() if v} for school in whole["schools"]]
    head = {key: whole[key] for key in ("district", "name", "account")}
    return {**head, "sftp": sftp, "mapper": district.mapper, **({"schools": schools} if schools else {})}


def _unlike(value: dict[str, Any], fleet: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is the fleet's default, key by key."""
    sftp = {k: v for k, v in value["sftp"].items() if fleet.get("sftp", {}).get(k) != v}
    whole = {**value, "sftp": sftp}
    return {k: v for k, v in whole.items() if k != "mapper" or fleet.get("mapper") != v}


def _entry(piece: Piece, key: str) -> Entry:
    return next(entry for entry in piece.entries if entry.key == key)


def _host_key(sftp: Piece, district: District, learned: Learned) -> None:
    """The comment on the server's key; without a key, above what follows its place."""
    if not any(e.key == "host_key" for e in sftp.entries) and district.sftp.host_key:
        return  # the fleet's
    if district.sftp.host_key:
        _entry(sftp, "host_key").above = [
            "# The server's key. One that shows another is not sent the secret."
        ]
        return
    lines = ["# The server's key, as the district's technicians confirm it; without it nobody logs in."]
    if learned.host_key_shown:
        lines += [
            "# The server showed this one, and nobody has confirmed it:",
            f"# host_key: {learned.host_key_shown}",
        ]
    else:
        lines.append("# host_key: SHA256:…")
    below = next((e for e in sftp.entries if e.key in ("remote_path", "file_pattern")), None)
    if below:
        below.above = lines
    else:
        sftp.foot += lines


def _mapper_comment(district: District, learned: Learned) -> list[str]:
    if district.mapper == MARK and learned.mappers:
        said = f"How the files are read, one of: {', '.join(learned.mappers)}; or mappers/NAME.json."
        return textwrap.wrap(said, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return ["# How the files are read: a built-in mapper, or mappers/NAME.json of this repository."]


def _no_schools_comment(district: str) -> list[str]:
    return [
        "",
        "# Which school of the platform each SIS school is. Once the files were read,",
        f"# `reconciler schools {district} --write` adds the lines.",
        "# schools:",
        '#   - {sis_id: "0042", school: lincoln-elementary, name: Lincoln Elementary}',
    ]


def _schools_comment(district: str, schools: Sequence[tuple[SchoolMapping, int]]) -> list[str]:
    """The schools as lines that only lack the removal of their signs."""
    lines = [
        "",
        "# The schools that the files name, each with a suggestion. Check them and take the signs away, or",
        f"# map them later with `reconciler schools {district} --write`.",
        "# schools:",
    ]
    for school, students in schools[:MAX_LISTED]:
        known = writable(school)
        if known:
            noun = "student" if students == 1 else "students"
            lines.append(f"#   - {in_braces(known)}  # {students} {noun}")
    if len(schools) > MAX_LISTED:
        lines.append(f"# … and {len(schools) - MAX_LISTED} more")
    return lines
