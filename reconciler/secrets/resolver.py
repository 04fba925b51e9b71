"""From a reference in a district's file to the secret, if that district and host may have it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from reconciler.config.district import SecretRef
from reconciler.errors import SecretError
from reconciler.secrets.age import AgeProvider
from reconciler.secrets.context import Provider, SecretContext
from reconciler.secrets.environment import EnvironmentProvider
from reconciler.secrets.files import FileProvider
from reconciler.secrets.secret import Secret

GROUP = "reconciler.secrets"


class SecretResolver:
    """Looks secrets up at the moment of use. Holds no value itself.

    `shared_secrets` is `policy.shared_secrets`: variables that several districts use, each with its hosts;
    secrets of other providers are named there as `provider:reference`.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        secrets_dir: Path,
        shared_secrets: Mapping[str, tuple[str, ...]],
        age_identity: str = "",
        age_identity_file: Path | None = None,
    ) -> None:
        self._shared = shared_secrets
        self._built_in: dict[str, Provider] = {
            "env": EnvironmentProvider(environ, shared_secrets),
            "file": FileProvider(secrets_dir, never=age_identity_file),
            "age": AgeProvider(age_identity, age_identity_file),
        }

    def resolve(self, ref: SecretRef, *, district: str, host: str, port: int, username: str) -> Secret:
        """The secret for one login.

        Raises SecretError: `secret.missing` where there is none to be had, `secret.bound` where it belongs
        to another district or host. Neither ever carries a value.
        """
        shared = self._shared.get(f"{ref.provider}:{ref.reference}")
        context = SecretContext(district, host, port, username, shared)
        provider = self._built_in.get(ref.provider)
        if provider is not None:
            value = provider(ref.reference, context)
        else:
            value = _ask(_registered(ref.provider, context), ref, context)
        _refuse_identity(value, context)
        return Secret(value)


def _refuse_identity(value: str, context: SecretContext) -> None:
    """No server is to have the key that opens every sealed secret, whatever way leads to it."""
    if "AGE-SECRET-KEY-" in value.upper():
        raise SecretError(
            f"what district {context.district} names as its secret is an identity of age",
            code="secret.bound",
            hint="name the secret of the district's account; an identity is never sent to a server",
        )


def _registered(name: str, context: SecretContext) -> Provider:
    for entry_point in entry_points(group=GROUP, name=name):
        try:
            provider: Provider = entry_point.load()
        except Exception as error:  # a broken extra must not end the run of the whole fleet
            raise _failed(name, context, error) from None
        return provider
    raise SecretError(
        f"no provider named {name} is installed, for a secret of district {context.district}",
        hint=f"install the package that provides {name}, or use {{env: …}} or {{file: …}}",
    )


def _ask(provider: Provider, ref: SecretRef, context: SecretContext) -> str:
    try:
        value = provider(ref.reference, context)
    except SecretError:
        raise
    except Exception as error:
        raise _failed(ref.provider, context, error) from None  # its text may hold the secret
    if not isinstance(value, str) or not value:
        raise SecretError(
            f"the provider {ref.provider} has no secret for district {context.district}",
            hint=f"check the reference under sftp in the district's file, and that {ref.provider} holds it",
        )
    return value


def _failed(name: str, context: SecretContext, error: Exception) -> SecretError:
    return SecretError(
        f"the provider {name} failed with {type(error).__name__} for district {context.district}",
        hint=f"check that {name} is set up and can be reached from here",
        retryable=True,
    )
