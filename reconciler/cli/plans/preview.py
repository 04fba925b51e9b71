"""`plan --preview` and `plan --out`: what a plan comes to, and a file that is held to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.app import App
from reconciler.cli.exits import DONE, FAILED, HELD, INTERRUPTED
from reconciler.cli.plans.plan_file import check_place
from reconciler.cli.plans.planned import Looked, Planned
from reconciler.cli.source import SftpSource
from reconciler.cli.terminal.progress import progress
from reconciler.engine.preview import Preview, next_syncs, preview_changes, previewed
from reconciler.engine.report import Outcome
from reconciler.engine.retries import SteadySource
from reconciler.errors import SftpError
from reconciler.planning.connection import Connection, Observed
from reconciler.secrets import login_of
from reconciler.secrets.trust import may_send

if TYPE_CHECKING:
    from reconciler.config.policy import Policy
    from reconciler.settings import Settings
    from reconciler.sftp import Session


class PreviewSource(SftpSource):
    """Opens sessions for changes that nobody has approved: a pull request names the server and the secret.

    A secret goes where it went before, where the policy lets it, or where a person says so (`trust_hosts`);
    else no connection is made at all. No key is taken at first sight, for none could be recorded.
    """

    def __init__(
        self, settings: Settings, policy: Policy, observed: Mapping[str, Observed], trust_hosts: bool
    ):
        super().__init__(settings, replace(policy, host_keys="pinned"))
        self._policy_hosts = policy.hosts
        self._observed = observed
        self._trust_hosts = trust_hosts

    def open(self, connection: Connection, host_key_seen: str, *login: Any) -> Session:
        """Raises SecretError secret.bound before any connection is made, else as for any session."""
        district = connection.district
        before = self._observed.get(district.id)
        on_record = login_of(before.connection.district) if before else None
        for ref in (district.sftp.password, district.sftp.private_key, district.sftp.passphrase):
            for one in (ref, ref.successor) if ref else ():
                refused = one and may_send(
                    one, login_of(district), on_record, self._policy_hosts, self._trust_hosts
                )
                if refused:
                    raise refused
        try:
            return super().open(connection, host_key_seen, *login)
        except SftpError as error:
            if error.code == "sftp.host-key" and not district.sftp.host_key and not host_key_seen:
                error.hint = (
                    f"{error.hint}; a preview records no key, under policy.host_keys: first-use either"
                )
            raise


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of `plan` beside the plan itself."""

    preview: bool = False
    out: Path | None = None
    trust_hosts: bool = False
    workers: int = 4
    allow_removals: tuple[str, ...] = ()


def look(app: App, planned: Planned, asked: Asked) -> Looked:
    """Preview and save a plan, as it was asked for; an interrupted preview is not saved."""
    if asked.out:
        check_place(asked.out)
    observed = app.store.observe()
    previews, interrupted = _previews(app, planned, observed, asked) if asked.preview else ({}, False)
    if interrupted:
        click.echo("interrupted: nothing was written, and no plan was saved", err=True)
        return Looked(exit_code=INTERRUPTED)
    saved: dict[str, str] = {}
    if asked.out:
        from reconciler.cli.plans.saved import write_plan  # noqa: PLC0415 – most previews are only looked at

        saved = write_plan(
            app, asked.out, planned.plan, planned.desired, observed, planned.refused, only=planned.scope,
            previews=previews if asked.preview else None, allow_removals=asked.allow_removals,
        )  # fmt: skip
    return Looked(previews, saved, _exit_code(previews))


def _previews(
    app: App, planned: Planned, observed: Mapping[str, Observed], asked: Asked
) -> tuple[dict[str, Preview], bool]:
    """The previews by district, and whether they were interrupted."""
    source = SteadySource(PreviewSource(app.settings, app.fleet.settings.policy, observed, asked.trust_hosts))
    context = replace(app.context(asked.allow_removals), source=source)
    changes = [*planned.plan.changes, *next_syncs(context, planned.only, planned.plan, observed)]
    with progress(sum(previewed(c.steps) for c in changes)) as advance:
        return preview_changes(
            context, changes, planned.desired, observed, workers=asked.workers, progress=advance
        )


def _exit_code(previews: Mapping[str, Preview]) -> int:
    outcomes = {p.outcome for p in previews.values()}
    if Outcome.FAILED in outcomes:
        return FAILED
    return HELD if Outcome.BLOCKED in outcomes else DONE
