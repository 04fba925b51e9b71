"""What `new` learns from a server: its key, its files, the mapper that fits them, their schools."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import click

from reconciler.authoring.template import Learned
from reconciler.cli.app import App
from reconciler.cli.writing.asking import Asker
from reconciler.config.district import District, SchoolMapping
from reconciler.config.placeholders import MARK
from reconciler.engine.schools import suggestions
from reconciler.errors import ReconcilerError, SftpError
from reconciler.mapping.model import Mapper
from reconciler.mapping.proposal import Fit, fits, proposed
from reconciler.planning.connection import Connection
from reconciler.render.onboarding import FoundView
from reconciler.roster.delta import RemoteFile, SisSchool


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the person said beforehand."""

    accept_host_key: str | None
    mapper: str | None
    with_schools: bool


@dataclass(slots=True)
class Found:
    """The district with what was learned, and what is to be said of it."""

    district: District
    key_type: str = ""
    fingerprint: str = ""
    accepted: bool = False
    files: Sequence[RemoteFile] = ()
    fits: Sequence[Fit] = ()
    schools: Sequence[SisSchool] = ()
    suggested: dict[str, str] = field(default_factory=dict)
    choices: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def learned(self) -> Learned:
        """What goes into the file as comments."""
        mapped = {s.sis_id for s in self.district.schools}
        schools = [
            (SchoolMapping(s.sis_id, self.suggested[s.sis_id], s.name), s.students)
            for s in self.schools
            if s.sis_id not in mapped and s.sis_id in self.suggested
        ]
        return Learned("" if self.accepted else self.fingerprint, self.choices, schools)

    def view(self) -> FoundView:
        """For people."""
        return FoundView(
            host_key=f"{self.key_type} {self.fingerprint}".strip(),
            accepted=self.accepted,
            files=self.files,
            fits=self.fits,
            mapper="" if self.district.mapper == MARK else self.district.mapper,
            schools=[(s, self.suggested.get(s.sis_id, "")) for s in self.schools],
            notes=self.notes,
        )

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "host_key": self.fingerprint or None,
            "host_key_type": self.key_type or None,
            "host_key_accepted": self.accepted,
            "files": [{"name": f.name, "size": f.size} for f in self.files],
            "mapper": None if self.district.mapper == MARK else self.district.mapper,
            "mappers": [f.to_json() for f in self.fits],
            "schools": [
                {
                    "sis_id": s.sis_id,
                    "name": s.name,
                    "students": s.students,
                    "suggestion": self.suggested.get(s.sis_id),
                }
                for s in self.schools
            ],
            "notes": self.notes,
        }


def look(app: App, district: District, wanted: FirstLook, asker: Asker) -> Found:
    """Connect and learn, as far as that goes; what keeps us from it is among the notes.

    Raises SftpError sftp.host-key where the server shows another key than the accepted one.
    """
    found = Found(district)
    try:
        if _trust(app, found, wanted, asker):
            _learn(app, found, wanted, asker)
    except ReconcilerError as error:
        if error.code == "sftp.host-key":
            raise
        found.notes.append(f"{error.message} [{error.code}]" + (f": {error.hint}" if error.hint else ""))
    return found


def _trust(app: App, found: Found, wanted: FirstLook, asker: Asker) -> bool:
    """Have the server's key confirmed, before anything secret is sent; then it is the district's pin."""
    from reconciler.sftp.probe import host_key_of  # noqa: PLC0415 – paramiko is slow to import

    sftp = found.district.sftp
    pins = (wanted.accept_host_key,) if wanted.accept_host_key else sftp.host_key
    key, is_accepted = host_key_of(sftp.host, sftp.port, *pins)
    found.key_type, found.fingerprint = key.type, key.fingerprint
    address = f"{sftp.host}:{sftp.port}"
    click.echo(f"{address} shows the host key {key.type} {key.fingerprint}", err=True)
    if pins:
        found.accepted = is_accepted
        if not is_accepted:
            raise SftpError(
                f"{address} shows the host key {key.type} {key.fingerprint}, not the accepted one; "
                f"no password was sent",
                code="sftp.host-key",
                hint="ask the district which key is its own; nothing was written",
            )
    elif app.fleet.settings.policy.host_keys == "first-use":
        found.accepted = True
        found.notes.append("the first key shown is taken, as policy.host_keys: first-use says")
    else:
        found.accepted = asker.confirm("Has the district confirmed this key?")
    if not found.accepted:
        found.notes.append(
            "the host key is not confirmed, so nobody logged in: it stands in the file as a comment; "
            f"with --accept-host-key {key.fingerprint} more is learned"
        )
        return False
    if not sftp.host_key:
        found.district = replace(found.district, sftp=replace(sftp, host_key=(key.fingerprint,)))
    return True


def _learn(app: App, found: Found, wanted: FirstLook, asker: Asker) -> None:
    from reconciler.cli.source import SftpSource  # noqa: PLC0415 – paramiko is slow to import
    from reconciler.engine.onboarding import read_headers, read_schools  # noqa: PLC0415 – as is DuckDB
    from reconciler.roster.workspace import workspace  # noqa: PLC0415

    sftp = found.district.sftp
    source = SftpSource(app.settings, app.fleet.settings.policy)
    with workspace() as folder, closing(source.open(Connection(found.district, ""), "")) as session:
        found.files = session.list_files(sftp.remote_path, sftp.file_pattern)
        if not found.files:
            raise session.no_files(sftp.remote_path, sftp.file_pattern)
        headers = read_headers(session, sftp.remote_path, found.files, folder)
        found.fits = fits(_mappers(app), headers)
        mapper = _choose(app, found, wanted, asker)
        if mapper is None:
            return
        place = folder / "schools"
        place.mkdir()
        today = datetime.now(UTC).date()
        found.schools, notes = read_schools(session, sftp.remote_path, found.files, mapper, place, today)
        found.notes += notes
    found.suggested = suggestions(found.district, {s.sis_id: s for s in found.schools})
    if wanted.with_schools:
        _map(found)


def _mappers(app: App) -> list[Mapper]:
    """Those that have no mistakes."""
    usable = []
    for name in sorted(app.library.names()):
        with suppress(ReconcilerError):
            usable.append(app.library.get(name))
    return usable


def _choose(app: App, found: Found, wanted: FirstLook, asker: Asker) -> Mapper | None:
    """The mapper that was named, or the only one that fits best; a tie is for a person to decide."""
    best = proposed(found.fits)
    name = wanted.mapper or (best[0] if len(best) == 1 else "")
    if not name and best:
        found.notes.append(f"{' and '.join(best)} fit alike: --mapper decides")
        name = asker.choose(f"Mapper ({', '.join(best)})", best, MARK)
    if not name or name == MARK:
        if not best:
            found.notes.append(
                "no mapper can read these files: --mapper names one, mappers/ may have your own"
            )
        return None
    found.district = replace(found.district, mapper=name)
    return app.library.get(name)


def _map(found: Found) -> None:
    from reconciler.authoring.schools import writable  # noqa: PLC0415 – only here

    wanted = (SchoolMapping(s.sis_id, found.suggested[s.sis_id], s.name) for s in found.schools)
    schools = tuple(s for s in map(writable, wanted) if s)
    found.district = replace(found.district, schools=schools)
