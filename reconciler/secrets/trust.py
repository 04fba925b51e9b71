"""Whether a secret may be sent before its change was reviewed and merged: the rule of `plan --preview`.

A pull request names both the secret and the server that gets it. So on a pull request a secret goes only
where it went before, or where the policy lets every secret go, or where a person says so. A sealed secret
needs no such rule: it carries its login with it, and is refused at any other when it is opened.
"""

from __future__ import annotations

from collections.abc import Collection

from reconciler.config.district import SecretRef
from reconciler.errors import SecretError
from reconciler.secrets.context import SecretContext
from reconciler.secrets.login import differences, same_host

SEALED = "age"
"""The provider whose secrets are bound to their login by themselves."""


def may_send(
    ref: SecretRef,
    login: SecretContext,
    on_record: SecretContext | None,
    policy_hosts: Collection[str],
    trust: bool = False,
) -> SecretError | None:
    """None where the secret may go to `login`; else the error to report, `secret.bound`. Asks no provider.

    `login` is what the district's file says now (`login_of(district)`), `on_record` what the database last
    applied for the same district, None where there is no connection yet; `policy_hosts` is `policy.hosts`,
    `trust` is `--trust-hosts`. To be asked for each of password, private_key and passphrase, and for the
    `successor` of each, before any name is looked up and before any provider is asked.
    """
    if trust or ref.provider == SEALED:
        return None
    if any(same_host(login.host, host) for host in policy_hosts):
        return None
    if on_record is None:
        return _refused(ref, login, "no connection on record has gone there before")
    changed = differences(login, on_record)
    if changed:
        return _refused(ref, login, f"{' and '.join(changed)} changed since the last reconcile")
    return None


def _refused(ref: SecretRef, login: SecretContext, why: str) -> SecretError:
    return SecretError(
        f"a preview does not send the {ref.provider} secret of district {login.district} to "
        f"{login.host}:{login.port} as {login.username}: {why}",
        code="secret.bound",
        hint="seal the secret for this login with `reconciler seal`, list the host under policy.hosts, or "
        "run the preview yourself with --trust-hosts",
    )
