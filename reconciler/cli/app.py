"""What the commands share: the repository, the database, and the way to districts' servers."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

import click

from reconciler.config.root import find_new_root, find_root
from reconciler.errors import ConfigError, MapperError, ReconcilerError, UsageError
from reconciler.settings import Settings

if TYPE_CHECKING:  # each command loads what it needs, and `--help` nothing of it
    from reconciler.config.cache import Cache
    from reconciler.config.fleet import Fleet
    from reconciler.config.known import Memory
    from reconciler.config.policy import FleetSettings, Policy
    from reconciler.engine.context import Context
    from reconciler.engine.ports import FileSource
    from reconciler.mapping.library import MapperLibrary
    from reconciler.planning.quick import Desired
    from reconciler.planning.run import RunInfo
    from reconciler.store.marks import Marks
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
        self._marks: Marks | None = None
        self._marks_asked = False

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
    def cache(self) -> Cache | None:
        """What this machine remembers of the repository's files; None where it may not remember."""
        from reconciler.config.cache import Cache  # noqa: PLC0415

        return Cache(self.settings.cache, self.root) if self.settings.cache else None

    @property
    def library(self) -> MapperLibrary:
        """The mappers that can be named here."""
        if self._library is None:
            from reconciler.mapping.library import MapperLibrary  # noqa: PLC0415

            self._library = MapperLibrary(self.root_if_any)
        return self._library

    @property
    def fleet(self) -> Fleet:
        """The repository's districts and settings. Raises ConfigError for a broken reconciler.yaml."""
        if self._fleet is None:
            from reconciler.config.fleet import load_fleet  # noqa: PLC0415

            self._fleet = load_fleet(self.root, mappers=self.library.names(), memories=[self._applied])
        return self._fleet

    @property
    def fleet_settings(self) -> FleetSettings:
        """reconciler.yaml alone. Raises ConfigError for a broken one."""
        if self._fleet is not None:
            return self._fleet.settings
        from reconciler.config.fleet_settings import load_fleet_settings  # noqa: PLC0415

        return load_fleet_settings(self.root)[0]

    def _applied(self) -> Memory:
        """Files that were applied as they are: what the database knows of them need not be found anew.

        That two have one sealed text it does not know: `validate` warns of it, and nothing depends on it.
        """
        from reconciler.config.known import NOT_SEALED  # noqa: PLC0415

        marks = self.glance.connections.values() if self.glance else ()
        return {m.file_fingerprint: (m.account, m.mapper, NOT_SEALED) for m in marks if m.fingerprint}

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

    def desired(self) -> tuple[Desired, dict[str, ReconcilerError]]:
        """What the files want, and the districts whose files (or mappers) are wrong, each with its error."""
        if not self.fleet.complete:
            raise ConfigError(
                "a folder under districts/ cannot be read, so which districts are gone is not known",
                code="config.syntax",
                hint="check the permissions of the checkout; nothing was changed",
            )
        from reconciler.config.fingerprint import fingerprint_of_mappers  # noqa: PLC0415
        from reconciler.planning.quick import Desired  # noqa: PLC0415

        fleet, mappers = self.fleet, fingerprint_of_mappers(self.root)
        marks = self.glance.connections if self.glance else {}
        signs: dict[str, tuple[str, str]] = {}
        refused: dict[str, ReconcilerError] = {
            name: _refusal(problems) for name, problems in fleet.refused.items()
        }
        # While no mapper's file differs, each has the digest that it had for any district.
        digests = {m.mapper: m.mapper_digest for m in marks.values() if mappers and m.is_by(mappers)}
        for name in fleet.districts:
            file = fleet.fingerprints.get(name, "")
            known, mark = fleet.known.get(file), marks.get(name)
            fingerprint = f"{file}.{mappers}" if known and mappers else ""
            if fingerprint and mark and mark.fingerprint == fingerprint:
                signs[name] = (fingerprint, mark.mapper_digest)
                continue
            try:
                mapper = known[1] if known else fleet.districts[name].mapper
                signs[name] = (fingerprint, digests.get(mapper) or self.library.get(mapper).digest)
            except MapperError as error:
                refused[name] = error
        return Desired(fleet.districts, signs), refused

    # -- the database -------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The database, its tables brought up to date. Raises StoreError."""
        if self._store is None:
            from reconciler.store.store import Store  # noqa: PLC0415 – `validate` needs none

            self._store = Store(self._url())
            self._store.migrate()
        return self._store

    @property
    def glance(self) -> Marks | None:
        """What the database has of every connection; None where it has to be opened to tell."""
        if not self._marks_asked:
            from reconciler.store.marks import read_marks  # noqa: PLC0415

            self._marks, self._marks_asked = read_marks(self._url()), True
        return self._marks

    def ask_no_database(self) -> None:
        """For commands that read the files alone: what the database knows of them is not asked either."""
        self._marks_asked = True

    def last_commit(self) -> str:
        """The commit that was reconciled last; empty where none was. Raises StoreError."""
        return self.glance.last_commit if self.glance else self.store.last_commit()

    def _url(self) -> str:
        named = self._database_url or self.settings.database_url
        if named:
            return named
        configured = self.fleet_settings.database_url
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
        """Everything that the engine is given. What a killed run left is removed."""
        from reconciler.cli.git.approvals import GitApprovals  # noqa: PLC0415
        from reconciler.engine.context import Context  # noqa: PLC0415
        from reconciler.roster.workspace import sweep  # noqa: PLC0415

        sweep()
        policy = self.fleet.settings.policy
        return Context(
            store=cast("Store", Later(lambda: self.store)),
            source=cast("FileSource", Later(lambda: _sftp_source(self.settings, policy))),
            mapper=self.library.get,
            policy=policy,
            approvals=GitApprovals(self.root, self.settings),
            allow_removals=frozenset(allow_removals),
        )

    def run_info(self, command: str) -> RunInfo:
        """Who runs what, at which commit."""
        from reconciler.cli.git.commit import read_commit  # noqa: PLC0415 – only runs need git
        from reconciler.planning.run import RunInfo  # noqa: PLC0415

        commit, author = read_commit(self.root, self.settings)
        return RunInfo(command, datetime.now(UTC), commit, author, self.settings.actor)


def _nearest_district(name: str, known: Collection[str]) -> str:
    from reconciler.mapping.near import near_names  # noqa: PLC0415 – only for a name that is not there

    near = near_names(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else ""


class Later:
    """Stands for an object that is made at the first question to it: its library is slow to load.

    There is one, whichever of several threads asks first.
    """

    def __init__(self, make: Callable[[], Any]):
        self._make = make
        self._made: Any = None
        self._lock = RLock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)


def _sftp_source(settings: Settings, policy: Policy) -> FileSource:
    from reconciler.cli.source import SftpSource  # noqa: PLC0415 – paramiko is slow to import
    from reconciler.engine.retries import SteadySource  # noqa: PLC0415

    return SteadySource(SftpSource(settings, policy))


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
