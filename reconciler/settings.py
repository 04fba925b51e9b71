"""The only reader of the environment.

`Settings.from_env` is called once, in the command line; everything below receives values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SECRETS_DIR = Path("/run/secrets")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, before any option or file is looked at."""

    root: Path | None = None
    """RECONCILER_ROOT: the configuration repository."""
    database_url: str | None = None
    """RECONCILER_DATABASE_URL."""
    secrets_dir: Path = DEFAULT_SECRETS_DIR
    """RECONCILER_SECRETS_DIR: where `{file: …}` secrets lie."""
    age_identity: str = field(default="", repr=False)
    """RECONCILER_AGE_IDENTITY: identities that open sealed secrets, as text."""
    age_identity_file: Path | None = None
    """RECONCILER_AGE_IDENTITY_FILE: a file of them."""
    actor: str = ""
    """Who runs this: RECONCILER_ACTOR, else what CI says, else the login name. Written to history."""
    commit: str = ""
    """The commit as CI names it, where the configuration is no git checkout: RECONCILER_COMMIT, …"""
    no_color: bool = False
    """NO_COLOR is set to anything."""
    cache: Path | None = None
    """Where verdicts may be remembered: XDG_CACHE_HOME, else ~/.cache; None under RECONCILER_NO_CACHE."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The whole environment, for `{env: …}` secrets only."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        env = os.environ if environ is None else environ
        root = env.get("RECONCILER_ROOT")
        return cls(
            root=Path(root) if root else None,
            database_url=env.get("RECONCILER_DATABASE_URL") or None,
            secrets_dir=Path(env.get("RECONCILER_SECRETS_DIR") or DEFAULT_SECRETS_DIR),
            age_identity=env.get("RECONCILER_AGE_IDENTITY", ""),
            age_identity_file=_path(env, "RECONCILER_AGE_IDENTITY_FILE"),
            actor=_first(env, "RECONCILER_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"),
            commit=_first(env, "RECONCILER_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"),
            no_color=bool(env.get("NO_COLOR")),
            cache=_cache(env),
            environ=env,
        )


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """How to reach Vault, in the variables that its own command line reads."""

    address: str = ""
    """VAULT_ADDR."""
    token: str = field(default="", repr=False)
    """VAULT_TOKEN."""
    namespace: str = ""
    """VAULT_NAMESPACE."""
    ca_file: Path | None = None
    """VAULT_CACERT: the certificates to trust, in PEM."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> VaultSettings:
        env = os.environ if environ is None else environ
        return cls(
            address=env.get("VAULT_ADDR", ""),
            token=env.get("VAULT_TOKEN", ""),
            namespace=env.get("VAULT_NAMESPACE", ""),
            ca_file=_path(env, "VAULT_CACERT"),
        )


def temporary_folder(environ: Mapping[str, str] | None = None) -> Path:
    """TMPDIR, TEMP, TMP, else the system's: the first that is a folder to write in, as `tempfile` has it.

    `tempfile.gettempdir` tries each by writing a file there, which a process that is killed leaves behind.
    """
    env = os.environ if environ is None else environ
    named = [env[name] for name in ("TMPDIR", "TEMP", "TMP") if env.get(name)]
    folders = [Path(folder).absolute() for folder in (*named, "/tmp", "/var/tmp", "/usr/tmp")]  # noqa: S108
    return next((it for it in folders if it.is_dir() and os.access(it, os.W_OK | os.X_OK)), Path.cwd())


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]).expanduser() if env.get(name) else None


def _cache(env: Mapping[str, str]) -> Path | None:
    """A relative XDG_CACHE_HOME counts as none, as its specification has it."""
    if env.get("RECONCILER_NO_CACHE"):
        return None
    named, home = env.get("XDG_CACHE_HOME", ""), env.get("HOME", "")
    folders = (Path(named), Path(home) / ".cache")
    return next((folder / "reconciler" for folder in folders if folder.is_absolute()), None)


def _first(env: Mapping[str, str], *names: str) -> str:
    return next((env[name] for name in names if env.get(name)), "")
