"""What the commands share: the repository, the database, and the way to districts' servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.config.fleet import Fleet, load_fleet
from reconciler.config.root import find_new_root, find_root
from reconciler.engine.context import Context
from reconciler.errors import ConfigError, MapperError, ReconcilerError, UsageError
from reconciler.mapping.library import MapperLibrary
from reconciler.mapping.near import near_names
from reconciler.planning.connection import Connection
from reconciler.planning.run import RunInfo
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.store.store import Store

Command = Callable[..., Any]


class App:
    """One call of the program."""

    def __init__(self) -> None:
        self.settings = Settings()
        self._root_option: Path | None = None
        self._database_url: str | None = None
        self._fleet: Fleet | None = None
        self._library: MapperLibrary | None = None
        self._store: Store | None = None

    def configure(self, settings: Settings, root: Path | None, database_url: str | None) -> None:
        """Take the global options."""
        self.settings = settings
        self._root_option = root
        self._database_url = database_url

    def close(self) -> None:
        """Leave the database."""
        if self._store:
            self._store.close()

    # -- the repository -----------------------------------------------------------------------------------

    @property
    def root(self) -> Path:
        """The configuration repository. Raises UsageError."""
        return find_root(self._root_option, self.settings.root, Path.cwd())

    @property
    def new_root(self) -> Path:
        """The repository, for commands that may begin one. Raises UsageError."""
        return find_new_root(self._root_option, self.settings.root, Path.cwd())

    @property
    def root_if_any(self) -> Path | None:
        """The configuration repository, for commands that work without one."""
        if self._root_option or self.settings.root:
            return self.root
        try:
            return self.root
        except UsageError:
            return None

    @property
    def library(self) -> MapperLibrary:
        """The mappers that can be named here."""
        if self._library is None:
            self._library = MapperLibrary(self.root_if_any)
        return self._library

    @property
    def fleet(self) -> Fleet:
        """The repository's districts and settings. Raises ConfigError for a broken reconciler.yaml."""
        if self._fleet is None:
            self._fleet = load_fleet(self.root, mappers=self.library.names())
        return self._fleet

    def check_known(self, names: Iterable[str]) -> None:
        """Raise UsageError for a district that neither the repository nor the database has."""
        known = {*self.fleet.districts, *self.fleet.refused}
        unknown = [n for n in names if n not in known]
        if unknown:
            unknown = [n for n in unknown if n not in self.store.observe()]
        if unknown:
            raise UsageError(
                f"there is no district {unknown[0]!r}",
                code="usage.district",
                hint=_nearest_district(unknown[0], known)
                or "a district's id is the name of its file under districts/, without .yaml",
            )

    def desired(self) -> tuple[dict[str, Connection], dict[str, ReconcilerError]]:
        """What the files want, and the districts whose files (or mappers) are wrong, each with its error."""
        if not self.fleet.complete:
            raise ConfigError(
                "a folder under districts/ cannot be read, so which districts are gone is not known",
                code="config.syntax",
                hint="check the permissions of the checkout; nothing was changed",
            )
        wanted: dict[str, Connection] = {}
        refused: dict[str, ReconcilerError] = {
            name: _refusal(problems) for name, problems in self.fleet.refused.items()
        }
        for name, district in self.fleet.districts.items():
            try:
                wanted[name] = Connection(district, self.library.get(district.mapper).digest)
            except MapperError as error:
                refused[name] = error
        return wanted, refused

    # -- the database -------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The database, its tables brought up to date. Raises StoreError."""
        if self._store is None:
            from reconciler.store.store import Store  # noqa: PLC0415 – `validate` needs none

            self._store = Store(self._url())
            self._store.migrate()
        return self._store

    def _url(self) -> str:
        named = self._database_url or self.settings.database_url
        if named:
            return named
        configured = self.fleet.settings.database_url
        if configured:
            relative = configured.removeprefix("sqlite:///")
            if relative != configured and not relative.startswith("/"):
                return f"sqlite:///{self.root / relative}"
            return configured
        folder = self.root / ".reconciler"
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        return f"sqlite:///{folder / 'state.db'}"

    # -- carrying out -------------------------------------------------------------------------------------

    def context(self, allow_removals: Collection[str] = ()) -> Context:
        """Everything that the engine is given."""
        from reconciler.cli.source import SftpSource  # noqa: PLC0415 – paramiko is slow to import

        policy = self.fleet.settings.policy
        return Context(
            store=self.store,
            source=SftpSource(self.settings, policy),
            mapper=self.library.get,
            policy=policy,
            allow_removals=frozenset(allow_removals),
        )

    def run_info(self, command: str) -> RunInfo:
        """Who runs what, at which commit."""
        from reconciler.cli.commit import read_commit  # noqa: PLC0415 – only runs need git

        commit, author = read_commit(self.root, self.settings)
        return RunInfo(command, datetime.now(UTC), commit, author, self.settings.actor)


def _nearest_district(name: str, known: Collection[str]) -> str:
    near = near_names(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""


def _refusal(problems: Sequence[Any]) -> ConfigError:
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigError(
        f"{first}{more}",
        problems,
        hint=first.hint or "`reconciler validate` lists every problem",
    )


pass_app = click.make_pass_decorator(App)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`--format`."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True,
        help="The form of the report on standard output.",
    )  # fmt: skip


def workers_option(command: Command) -> Command:
    """`--workers`."""
    default = min(32, 4 * (os.cpu_count() or 1))
    return click.option(
        "--workers", type=click.IntRange(1, 64), default=default, show_default=True,
        help="Districts worked on at once.",
    )(command)  # fmt: skip


def allow_removals_option(command: Command) -> Command:
    """`--allow-removals`."""
    return click.option(
        "--allow-removals", multiple=True, metavar="ID",
        help="Waive the limits on removed and changed rows for this district, in this run.",
    )(command)  # fmt: skip
