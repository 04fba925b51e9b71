"""`reconciler new`: a district's file, from what is known and what its server tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from reconciler.authoring.template import template
from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.cli.writing.asking import Asker
from reconciler.cli.writing.files import create_text, exists_already
from reconciler.cli.writing.first_look import FirstLook, Found, look
from reconciler.cli.writing.new_files import begun_repository, place_schema, schema_path
from reconciler.config.district import District, SecretRef, Sftp
from reconciler.config.district_file import SCHEMA
from reconciler.config.fleet import load_fleet
from reconciler.config.placeholders import HOST, MARK, account_placeholder
from reconciler.config.root import DISTRICTS
from reconciler.documents.formats import whole_pattern
from reconciler.documents.schema import load_schema
from reconciler.errors import ConfigError, UsageError
from reconciler.render.onboarding import found_text

_SHORT = {"isd", "usd", "cusd", "ccsd", "csd", "sd", "ps", "k8", "k12"}
"""Words of ids that are written in capitals."""


@click.command("new")
@click.argument("id_", metavar="ID")
@click.option("--name", metavar="NAME", help="The district's name, for people; default: made of its id.")
@click.option("--account", metavar="NUMBER", help="The platform's account number of the district.")
@click.option("--host", metavar="HOST", help="Its SFTP server; without it nothing is connected to.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 22, or the fleet's own.")
@click.option("--username", metavar="USER", help="Our account on the server.")
@click.option("--mapper", metavar="MAPPER", help="How the files are read; without it one is proposed.")
@click.option("--remote-path", metavar="FOLDER", help="Default: the one that the login leads to.")
@click.option("--file-pattern", metavar="GLOB", help='Default: "*.csv".')
@click.option("--password-env", metavar="NAME", help="Default: SFTP_<ID>_PASSWORD.")
@click.option("--password-file", metavar="PATH", help="Under RECONCILER_SECRETS_DIR.")
@click.option("--private-key-env", metavar="NAME")
@click.option("--private-key-file", metavar="PATH", help="Under RECONCILER_SECRETS_DIR.")
@click.option("--in", "folder", default="", metavar="FOLDER", help="A folder under districts/ for the file.")
@click.option("--accept-host-key", metavar="SHA256:…", help="The server's key, as the district confirmed it.")
@click.option("--with-schools", is_flag=True, help="Map the schools as suggested, instead of in comments.")
@click.option("--offline", is_flag=True, help="Connect to nothing.")
@click.option("--yes", is_flag=True, help="Ask for nothing; what is missing becomes a placeholder.")
@format_option("text", "json")
@pass_app
def command(app: App, /, id_: str, folder: str, with_schools: bool, form: str, **options: Any) -> int:
    """Write the file of a new district ID.

    With a server that can be reached: its host key is shown and to be confirmed (on a terminal, or with
    --accept-host-key), then the files are listed, a mapper is proposed from their headers with a score for
    each, and the schools are listed with suggestions. Without one: a template. No file is written over.
    """
    _check_id(id_)
    app.ask_no_database()
    with begun_repository(app) as root:
        path = _place(root, folder, id_)
        if id_ in app.fleet.files:
            raise exists_already(app.fleet.files[id_])
        if path.exists() or path.is_symlink():
            raise exists_already(_shown(path, root))
        asker = Asker(quiet=bool(options["yes"]) or form == "json")
        fleet = app.fleet.settings.defaults.value
        district = _draft(id_, asker, options, fleet)
        mapper = options["mapper"] or fleet.get("mapper")
        wanted = FirstLook(options["accept_host_key"], mapper, with_schools)
        found = _look(app, district, wanted, asker, offline=bool(options["offline"]))
        text = template(
            found.district,
            found.learned,
            fleet,
            schema=load_schema(SCHEMA),
            schema_path=schema_path(root, path),
        )
        create_text(path, text, root=root)
        _check_written(app, root, path)
        place_schema(root)
    file = _shown(path, root)
    if form == "json":
        click.echo(json.dumps({"district": id_, "file": file, **found.to_json()}, indent=2))
    else:
        click.echo(found_text(file, found.view()))
    return DONE


def _place(root: Path, folder: str, id_: str) -> Path:
    """Where the file goes. Raises UsageError for a folder that is not below districts/, or is not read."""
    districts = root / DISTRICTS
    place = districts / folder
    inside = place.resolve().is_relative_to(districts.resolve()) and ".." not in place.parts
    if not inside or any(part.startswith(".") for part in place.relative_to(districts).parts):
        raise UsageError(
            f"{folder!r} is no folder for districts",
            hint=f"name one below {DISTRICTS}/, as --in tx; hidden ones are not read",
        )
    return place / f"{id_}.yaml"


def _look(app: App, district: District, wanted: FirstLook, asker: Asker, *, offline: bool) -> Found:
    """What the server tells, if there is one; and what is missing all the same."""
    is_there = not offline and district.sftp.host != HOST and district.sftp.username != MARK
    found = look(app, district, wanted, asker) if is_there else Found(district)
    found.choices = sorted(app.library.names())
    found.notes += _placeholders(found.district)
    return found


def _check_id(id_: str) -> None:
    rule = load_schema(SCHEMA)["properties"]["district"]
    if len(id_) > rule["maxLength"] or not whole_pattern(rule["pattern"]).search(id_):
        raise UsageError(
            f"{id_[:80]!r} cannot be a district's id",
            code="usage.district",
            hint=f"it {rule['errorMessage']}",
        )


def _draft(id_: str, asker: Asker, options: Mapping[str, Any], fleet: Mapping[str, Any]) -> District:
    """The district as far as it is known, by the fleet's defaults too; placeholders for the rest."""
    common = fleet.get("sftp", {})
    name = options["name"] or asker.ask("Name, for people", _name_of(id_))
    account = options["account"] or asker.ask("Account number on the platform", account_placeholder(id_))
    host, port = _server(asker, options, common)
    username = options["username"] or common.get("username") or asker.ask("User name on the server", MARK)
    # The fleet's pin is that of the fleet's server.
    pins = common.get("host_key", ()) if host == common.get("host") else ()
    password, private_key = _secret(id_, options)
    sftp = Sftp(
        host=host,
        username=username,
        port=port,
        password=password,
        private_key=private_key,
        host_key=(pins,) if isinstance(pins, str) else tuple(pins),
        remote_path=options["remote_path"] or common.get("remote_path", "."),
        file_pattern=options["file_pattern"] or common.get("file_pattern", "*.csv"),
    )
    return District(id_, name, account, sftp, options["mapper"] or fleet.get("mapper", MARK))


def _server(asker: Asker, options: Mapping[str, Any], common: Mapping[str, Any]) -> tuple[str, int]:
    """Host and port; the placeholder for a host that nobody names."""
    usual = options["port"] or common.get("port", 22)
    named = options["host"] or common.get("host")
    if named or options["offline"]:
        return named or HOST, usual
    host, _, port = asker.ask("SFTP host, with :PORT where it is not 22", HOST).partition(":")
    return host, int(port) if port.isdecimal() and port.isascii() else usual


def _secret(id_: str, options: Mapping[str, Any]) -> tuple[SecretRef | None, SecretRef | None]:
    """Where the password or the key is; UsageError for several places."""
    places = {
        (kind, provider): options[f"{kind}_{provider}"]
        for kind in ("password", "private_key")
        for provider in ("env", "file")
    }
    given = {place: reference for place, reference in places.items() if reference}
    if len(given) > 1:
        raise UsageError(
            "one place of a password or a private key can be named", hint="give one of the options alone"
        )
    own = f"SFTP_{id_.replace('-', '_').upper()}_PASSWORD"
    (kind, provider), reference = next(iter(given.items()), (("password", "env"), own))
    ref = SecretRef(provider, reference)
    return (ref, None) if kind == "password" else (None, ref)


def _placeholders(district: District) -> list[str]:
    values = {
        "account": district.account, "sftp.host": district.sftp.host, "sftp.username": district.sftp.username,
        "mapper": district.mapper,
    }  # fmt: skip
    missing = [key for key, value in values.items() if value.upper().startswith(MARK)]
    return [f"to be filled in: {', '.join(missing)}; `validate` says where"] if missing else []


def _name_of(id_: str) -> str:
    return " ".join(word.upper() if word in _SHORT else word.capitalize() for word in id_.split("-"))


def _check_written(app: App, root: Path, path: Path) -> None:
    """Take the file away again where `validate` would refuse it for more than its mapper's placeholder."""
    fleet = load_fleet(root, mappers=[*app.library.names(), MARK], only_paths=[path])
    problems = [p for p in fleet.problems if p.severity == "error" and p.file == _shown(path, root)]
    if problems:
        path.unlink()
        first = problems[0]
        raise ConfigError(
            f"the file would not be valid, and was not written: {first.path}: {first.message}", problems
        )


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
