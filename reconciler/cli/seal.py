"""`reconciler seal`: a secret becomes text that may stand in git, for one login and no other."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App, format_option, pass_app
from reconciler.cli.exits import DONE
from reconciler.config.district import NEXT
from reconciler.config.district_checks import SECRETS, value_at
from reconciler.documents.formats import FORMATS
from reconciler.documents.reader import open_document
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.secrets.context import SecretContext

_ID = re.compile(r"(?=.{1,63}\Z)[a-z0-9](-?[a-z0-9])*")
_KEY_SIGN = "PRIVATE KEY-----"


@click.command("seal")
@click.argument("district", metavar="ID")
@click.option(
    "--recipient", "recipients", multiple=True, metavar="KEY",
    help="A public key that can open it: age1…, ssh-ed25519 … or ssh-rsa …; those of policy.age_recipients "
    "count too.",
)  # fmt: skip
@click.option("--host", metavar="HOST", help="The server, where no file says it yet.")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port, where no file says it yet.")
@click.option("--username", metavar="NAME", help="The account on it, where no file says it yet.")
@click.option(
    "--for", "field", type=click.Choice(SECRETS),
    help="What the secret is; where it is left out, a key is told from a password by its look.",
)  # fmt: skip
@click.option("--next", "is_next", is_flag=True, help="Print it as `next`, to stand beside the old one.")
@format_option("text", "json")
@pass_app
def command(app: App, /, district: str, recipients: tuple[str, ...], form: str, **options: Any) -> int:
    """Seal a password or key for district ID, and print what to paste under `sftp` in its file.

    The secret is typed, unseen, or read from standard input; it is never an argument. Host, port and user
    come from the district's file; at any other login the sealed secret is refused.
    """
    login = _login(app, district, {name: options[name] for name in ("host", "port", "username")})
    keys = _recipients(app, recipients)
    secret = _read_secret()
    field = options["field"] or ("private_key" if _KEY_SIGN in secret else "password")
    sealed = _sealed(secret, field, login, keys)
    keys_above = _keys_above(app, district, field, options["is_next"])
    snippet = _snippet(sealed, keys_above)
    if form == "json":
        said = {"district": district, "host": login.host, "port": login.port, "username": login.username}
        value: Any = sealed
        for key in reversed(keys_above if not options["is_next"] else (field, *keys_above)):
            value = {key: value}
        click.echo(json.dumps({**said, "recipients": len(keys), **value, "yaml": snippet}, indent=2))
    else:
        click.echo(snippet, nl=False)
    click.echo(_words(login, field, len(keys), options["is_next"]), err=True)
    return DONE


def _words(login: SecretContext, field: str, keys: int, is_next: bool) -> str:
    place = f"sftp.{field}, beside the old one" if is_next else "sftp"
    return (
        f"sealed for {login.username} at {login.host}:{login.port} of {login.district}, "
        f"for {keys} recipient{'s' if keys > 1 else ''}; paste it under {place}"
    )


def _keys_above(app: App, district: str, field: str, is_next: bool) -> tuple[str, ...]:
    """The keys that the text stands under: from `sftp` on, or for `next` from the secret's own key on."""
    if not is_next:
        return field, "age"
    known = app.fleet.districts.get(district) if app.root_if_any else None
    current = getattr(known.sftp, field) if known else None
    return (NEXT,) if current is None or current.provider == "age" else (NEXT, "age")


def _snippet(sealed: str, keys: Sequence[str]) -> str:
    """YAML, indented as it stands in a district's file."""
    depth = 2 if keys[0] == NEXT else 1
    lines = [f"{'  ' * (depth + n)}{key}:" for n, key in enumerate(keys)]
    lines[-1] += " |"
    indent = "  " * (depth + len(keys))
    return "\n".join([*lines, *(f"{indent}{line}" for line in sealed.splitlines())]) + "\n"


# -- for whom -----------------------------------------------------------------------------------------------


def _login(app: App, district: str, options: Mapping[str, Any]) -> SecretContext:
    """The login: options first, then what the district's file says, whatever else is missing there."""
    from reconciler.secrets.context import SecretContext  # noqa: PLC0415 – pulls in what opens secrets

    if not _ID.fullmatch(district):
        raise UsageError("this is no district's id", hint="lower-case letters, digits and single hyphens")
    said = _written(app, district) | {k: v for k, v in options.items() if v is not None}
    for name in ("host", "username"):
        if not isinstance(said.get(name), str) or not said[name].strip():
            raise UsageError(
                f"no file says the {name} of {district}, and a secret is sealed for one login",
                hint=f"add --{name}, or write sftp.{name} into districts/{district}.yaml first",
            )
    if not any(FORMATS[kind](said["host"]) for kind in ("hostname", "ipv4", "ipv6")):
        raise UsageError("the host is no host name and no IP address", hint="no port, no user, no scheme")
    port = said.get("port", 22)
    if type(port) is not int or not 0 < port < 65536:
        raise UsageError(f"the port in the file of {district} is none", hint="a number from 1 to 65535")
    return SecretContext(district, str(said["host"]), port, str(said["username"]))


def _written(app: App, district: str) -> dict[str, Any]:
    """`sftp` as the repository has it; of a file that is not valid yet, what can be read of it."""
    root = app.root_if_any
    if root is None:
        return {}
    known = app.fleet.districts.get(district)
    if known is not None:
        return {"host": known.sftp.host, "port": known.sftp.port, "username": known.sftp.username}
    file = app.fleet.files.get(district)
    document = open_document(root / file, display=file, root=root)[0] if file else None
    found = value_at(document.value, "sftp") if document else None
    return dict(found) if isinstance(found, dict) else {}


def _recipients(app: App, given: Sequence[str]) -> list[Any]:
    """Those of the command line and of the policy, each once. Raises UsageError."""
    from reconciler.secrets.age_keys import KeyTextError, recipient_of  # noqa: PLC0415 – loads a library

    of_policy = app.fleet.settings.policy.age_recipients if app.root_if_any else ()
    keys = list(dict.fromkeys(key.strip() for key in (*given, *of_policy)))
    if not keys:
        raise UsageError(
            "no recipient is named: nobody could open the secret",
            hint="add --recipient age1…, the public key of the machine that runs reconciler (age-keygen "
            "prints one), or list it under policy.age_recipients in reconciler.yaml",
        )
    try:
        return [recipient_of(key) for key in keys]
    except KeyTextError as error:
        raise UsageError(f"a recipient {error}", hint="age-keygen -y prints the recipient") from None


# -- the secret ---------------------------------------------------------------------------------------------


def _read_secret() -> str:
    """Typed twice, unseen; or standard input less its last line break. Raises UsageError."""
    if sys.stdin.isatty():
        typed: str = click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    try:
        data = sys.stdin.buffer.read(_limit() + 3) if hasattr(sys.stdin, "buffer") else None
        text = data.decode("utf-8") if data is not None else sys.stdin.read()
    except UnicodeDecodeError:
        raise UsageError(
            "standard input is not UTF-8 text", hint="give the key in PEM or OpenSSH form"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _limit() -> int:
    from reconciler.secrets.sealing import MAX_SECRET_BYTES  # noqa: PLC0415 – loads a library

    return MAX_SECRET_BYTES


def _sealed(secret: str, field: str, login: SecretContext, keys: Sequence[Any]) -> str:
    from reconciler.secrets.sealing import seal  # noqa: PLC0415 – loads a library

    if field != "private_key" and ("\n" in secret or _KEY_SIGN in secret):
        raise UsageError(
            f"a {field} is one line, and this is more or a key",
            hint="give the secret alone, or --for private_key",
        )
    if field == "private_key" and _KEY_SIGN not in secret:
        raise UsageError("this is no private key", hint="give a key in OpenSSH or PEM form on standard input")
    if "AGE-SECRET-KEY-1" in secret.upper():
        raise UsageError(
            "this is an identity, which opens sealed secrets; no server is to have it",
            hint="give the secret of the district's account",
        )
    try:
        return seal(secret, login, keys)
    except ValueError as error:
        raise UsageError(f"nothing was sealed: {error}", hint="type it, or pipe it in") from None
