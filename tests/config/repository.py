"""Writes configuration repositories for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

DISTRICT = """\
district: {id}
name: {id}
account: "{account}"
sftp:
  host: {host}
  username: roster
  password: {{env: {env}}}
mapper: {mapper}
"""


def district(
    root: Path,
    district_id: str,
    *,
    folder: str = "districts",
    account: str = "",
    host: str = "sftp.example",
    env: str = "",
    mapper: str = "clever",
    more: str = "",
) -> Path:
    """A valid district file, with an account and a variable of its own unless told otherwise."""
    text = DISTRICT.format(
        id=district_id,
        account=account or f"a-{district_id}",
        host=host,
        env=env or f"SFTP_{district_id.replace('-', '_').upper()}_PASSWORD",
        mapper=mapper,
    )
    path = root / folder / f"{district_id}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + more, encoding="utf-8")
    return path
