"""`{age: "…"}`: secrets sealed into the district's file, each for one login and no other."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any

from reconciler.errors import SecretError
from reconciler.secrets.age_keys import KeyTextError, identities_of
from reconciler.secrets.context import SecretContext
from reconciler.secrets.login import differences
from reconciler.secrets.sealing import NotBoundError, NotOpenedError, Opened, unseal

log = logging.getLogger("reconciler.secrets")

VARIABLE = "RECONCILER_AGE_IDENTITY"
FILE_VARIABLE = "RECONCILER_AGE_IDENTITY_FILE"
MAX_IDENTITY_BYTES = 256 * 1024


class AgeProvider:
    """Opens sealed secrets with the identities of this machine, and gives them to their own login only."""

    def __init__(self, identity: str, identity_file: Path | None) -> None:
        self._identity = identity
        self._file = identity_file
        self._identities: list[Any] | None = None
        self._lock = threading.Lock()

    def __call__(self, text: str, context: SecretContext) -> str:
        """The secret. Raises SecretError `secret.missing` where it cannot be opened, else `secret.bound`."""
        opened = self._open(text, context)
        changed = differences(context, opened.login)
        if changed:
            raise SecretError(
                f"the sealed secret of district {context.district} was sealed for another login: "
                f"{' and '.join(changed)} differ{'' if len(changed) > 1 else 's'}",
                code="secret.bound",
                hint=f"if the change is meant, seal it anew: `reconciler seal {context.district}`; "
                "nothing was sent anywhere",
            )
        return opened.secret

    def _open(self, text: str, context: SecretContext) -> Opened:
        try:
            return unseal(text, self._known(context))
        except NotOpenedError as error:
            raise self._not_opened(context, error) from None
        except NotBoundError:
            raise SecretError(
                f"the sealed secret of district {context.district} does not say which login it is for",
                code="secret.bound",
                hint="age alone binds a secret to nothing: seal it with "
                f"`reconciler seal {context.district}`",
            ) from None

    def _not_opened(self, context: SecretContext, error: NotOpenedError) -> SecretError:
        if error.wrong_identity:
            return SecretError(
                f"none of the identities here opens the sealed secret of district {context.district}",
                hint=f"seal it for this machine's recipient (`reconciler seal {context.district}`), or give "
                f"its identity in {VARIABLE} or {FILE_VARIABLE}",
            )
        return SecretError(
            f"the sealed secret of district {context.district} {error}",
            hint=f"paste it whole, or seal it anew: `reconciler seal {context.district}`",
        )

    def _known(self, context: SecretContext) -> list[Any]:
        """The identities, read once. Raises SecretError `secret.missing` where there is none."""
        with self._lock:
            if self._identities is None:
                self._identities = [*self._from_variable(), *self._from_file()]
        if not self._identities:
            raise SecretError(
                f"the secret of district {context.district} is sealed, and there is no identity to open it",
                hint=f"set {VARIABLE} or {FILE_VARIABLE} where reconciler runs",
            )
        return self._identities

    def _from_variable(self) -> list[Any]:
        try:
            return identities_of(self._identity)
        except KeyTextError as error:
            raise _unusable(f"{VARIABLE}: {error}", VARIABLE) from None

    def _from_file(self) -> list[Any]:
        if self._file is None:
            return []
        try:
            return identities_of(_read(self._file))
        except KeyTextError as error:
            raise _unusable(f"{self._file}: {error}", FILE_VARIABLE) from None
        except UnicodeDecodeError:
            raise _unusable(f"{self._file} is not text", FILE_VARIABLE) from None
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise _unusable(f"{self._file} cannot be read: {reason}", FILE_VARIABLE) from None


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is not a regular file")
        if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            mode = stat.S_IMODE(status.st_mode)
            log.warning("the identity file %s is open to other accounts (mode %04o): chmod 600", path, mode)
        return file.read(MAX_IDENTITY_BYTES).decode("utf-8")


def _unusable(fault: str, variable: str) -> SecretError:
    return SecretError(
        f"the identity that opens sealed secrets cannot be used: {fault}",
        hint=f"{variable} takes what age-keygen writes: lines with AGE-SECRET-KEY-1…, or one SSH private key "
        "without a passphrase",
    )
