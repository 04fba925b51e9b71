"""`{env: NAME}`: environment variables, each tied to one district by its name, or to hosts by policy."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import SecretError
from reconciler.secrets.context import SecretContext
from reconciler.secrets.login import plain_host

_OUR_OWN = ("RECONCILER_", "VAULT_")
"""Settings of this program, the keys that open every other secret among them: of no use to any server."""


class EnvironmentProvider:
    """Reads variables that the asking district may use.

    The name is the binding: a pull request that points a district's secret at another host would need
    another name, and one that borrows a neighbour's name is refused.
    """

    def __init__(self, environ: Mapping[str, str], shared: Mapping[str, tuple[str, ...]]) -> None:
        self._environ = environ
        self._shared = shared

    def __call__(self, name: str, context: SecretContext) -> str:
        """The variable's value, one trailing newline removed: `echo` and CI forms leave one.

        Raises SecretError `secret.bound` or `secret.missing`.
        """
        self._check_bound(name, context)
        value = self._environ.get(name, "").removesuffix("\n").removesuffix("\r")
        if not value:
            state = "is empty" if name in self._environ else "is not set"
            raise SecretError(
                f"the environment variable {name} of district {context.district} {state}",
                hint=f"set {name} where reconciler runs, for example as a secret of the CI job",
            )
        return value

    def _check_bound(self, name: str, context: SecretContext) -> None:
        prefix = variable_prefix(context.district)
        if name.startswith(prefix) and name != prefix:
            return
        hosts = self._shared.get(name)
        if hosts is None:
            raise _bound(
                f"district {context.district} may not use the environment variable {name}",
                f"name it {prefix}…, or list it under policy.shared_secrets with the host {context.host}",
            )
        if name.upper().startswith(_OUR_OWN):
            raise _bound(
                f"the environment variable {name} is a setting of this program, and no server gets it",
                "remove it from policy.shared_secrets in reconciler.yaml",
            )
        if plain_host(context.host) not in map(plain_host, hosts):
            raise _bound(
                f"the shared environment variable {name} may not be sent to {context.host}",
                f"add the host to policy.shared_secrets.{name} in reconciler.yaml, if it is meant to get it",
            )


def variable_prefix(district: str) -> str:
    """What the names of a district's own variables start with: riverbend-isd → SFTP_RIVERBEND_ISD_."""
    return f"SFTP_{district.upper().replace('-', '_')}_"


def _bound(message: str, hint: str) -> SecretError:
    return SecretError(message, code="secret.bound", hint=hint)
