"""`{vault: path#key}`: secrets in HashiCorp Vault or OpenBao, KV of version 1 and 2. The extra `vault`.

An example of a provider of your own, too: a callable, registered in pyproject.toml under the entry-point
group `reconciler.secrets`, that takes a reference and the login that it is for.

A path belongs to the district whose id is one of its folders; any other is listed under
`policy.shared_secrets` as `vault:path#key`, with the hosts that may receive it. Where the secret itself says
host, port, username or district beside its key, it is given to that login only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.config.vault_reference import VaultReference, vault_reference
from reconciler.errors import SecretError
from reconciler.secrets.context import SecretContext
from reconciler.secrets.login import same_host
from reconciler.settings import VaultSettings

TIMEOUT_SECONDS = 10
"""For connecting, and again for each silence of the answer."""


def provider(reference: str, context: SecretContext) -> str:
    """The secret, asked for anew each time. Raises SecretError; retryable where Vault cannot be reached."""
    try:
        wanted = vault_reference(reference)
    except ValueError as error:
        raise SecretError(
            f"the reference to Vault of district {context.district} {error}", hint="correct it under sftp"
        ) from None
    _check_bound(wanted, context)
    data = _read(VaultSettings.from_env(), wanted, context)
    _check_login(data, context)
    value = data.get(wanted.key)
    if not isinstance(value, str) or not value:
        raise SecretError(
            f"the secret in Vault of district {context.district} has no text under the key {wanted.key}",
            hint=f"its path is {'/'.join(wanted.path)}; write the key there, or correct the reference",
        )
    return value


def _check_bound(wanted: VaultReference, context: SecretContext) -> None:
    if wanted.names(context.district):
        return
    if any(same_host(context.host, host) for host in context.shared_with or ()):
        return
    raise SecretError(
        f"district {context.district} may not use the secret at {'/'.join(wanted.path)} in Vault",
        code="secret.bound",
        hint=f"use a path with a folder named {context.district}, or list vault:path#key with the host "
        f"{context.host} under policy.shared_secrets",
    )


def _check_login(data: Mapping[str, Any], context: SecretContext) -> None:
    """What the secret says of its login must be so: the record in Vault is out of a pull request's reach."""
    said: dict[str, Callable[[str], bool]] = {
        "district": lambda v: v == context.district,
        "host": lambda v: same_host(v, context.host),
        "port": lambda v: v == str(context.port),
        "username": lambda v: v == context.username,
    }
    wrong = [name for name, holds in said.items() if name in data and not holds(str(data[name]))]
    if wrong:
        raise SecretError(
            f"the secret in Vault is for another login than that of district {context.district}: "
            f"its {' and '.join(wrong)} {'differ' if len(wrong) > 1 else 'differs'}",
            code="secret.bound",
            hint="if the change is meant, change the secret in Vault as well; nothing was sent anywhere",
        )


def _read(settings: VaultSettings, wanted: VaultReference, context: SecretContext) -> Mapping[str, Any]:
    """What the secret holds, by key."""
    client = _client(settings, context)
    try:
        return _data(client.adapter.get, wanted, context)
    finally:
        client.adapter.close()


def _client(settings: VaultSettings, context: SecretContext) -> Any:
    try:
        import hvac  # noqa: PLC0415 – an extra, and slow to import
    except ModuleNotFoundError:
        raise SecretError(
            f"the secret of district {context.district} is in Vault, and the extra for it is not installed",
            hint="install reconciler[vault]",
        ) from None
    if not settings.address or not settings.token:
        missing = "VAULT_TOKEN" if settings.address else "VAULT_ADDR"
        raise SecretError(
            f"the secret of district {context.district} is in Vault, and {missing} is not set",
            hint=f"set {missing} where reconciler runs",
        )
    # A redirect would take the token along, to wherever it leads.
    make: Callable[..., Any] = hvac.Client
    return make(
        url=settings.address,
        token=settings.token,
        namespace=settings.namespace or None,
        verify=str(settings.ca_file) if settings.ca_file else True,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
    )


def _data(get: Callable[..., Any], wanted: VaultReference, context: SecretContext) -> Mapping[str, Any]:
    """The secret's keys, from wherever its mount keeps them."""
    path = "/".join(wanted.path)
    mount = _ask(get, f"/v1/sys/internal/ui/mounts/{path}", context, optional=True)
    if mount is None:  # older servers, and tokens that may read this secret and nothing else
        first, rest = wanted.path[0], "/".join(wanted.path[1:])
        found = _ask(get, f"/v1/{first}/data/{rest}", context, optional=True)
        return (
            _fields(found["data"])
            if found and "data" in found
            else _fields(_ask(get, f"/v1/{path}", context))
        )
    name = str(mount.get("path") or wanted.path[0]).strip("/")
    rest = path.removeprefix(name).strip("/")
    if str((mount.get("options") or {}).get("version")) == "2":
        return _fields(_ask(get, f"/v1/{name}/data/{rest}", context).get("data"))
    return _fields(_ask(get, f"/v1/{name}/{rest}", context))


def _fields(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _ask(get: Callable[..., Any], url: str, context: SecretContext, *, optional: bool = False) -> Any:
    """The `data` of one answer; None where it is optional and refused or absent. Raises SecretError."""
    from hvac import exceptions  # noqa: PLC0415 – as above

    try:
        answer = get(url)
    except (exceptions.Forbidden, exceptions.InvalidPath, exceptions.InvalidRequest) as error:
        if optional:
            return None
        absent = isinstance(error, exceptions.InvalidPath)
        raise SecretError(
            f"Vault {'has no' if absent else 'does not show the'} secret of district {context.district}",
            hint="check the path under sftp, and what the token's policy lets it read",
        ) from None
    except (exceptions.VaultError, OSError) as error:  # what requests raises is an OSError
        raise _unreachable(context, type(error).__name__) from None
    if not isinstance(answer, dict):
        raise _unreachable(context, "an answer that is not JSON, or a redirect")
    return answer.get("data") or {}


def _unreachable(context: SecretContext, what: str) -> SecretError:
    return SecretError(
        f"Vault could not be asked for the secret of district {context.district}: {what}",
        hint="check VAULT_ADDR and that Vault is up and unsealed; nothing of the district was changed",
        retryable=True,
    )
