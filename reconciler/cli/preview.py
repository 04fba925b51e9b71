"""`plan --preview`: whom a preview asks, and which secrets it sends."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.cli.app import App
from reconciler.cli.progress import progress
from reconciler.cli.source import SftpSource
from reconciler.engine.preview import Preview, preview_plan, previewed
from reconciler.errors import SftpError
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan
from reconciler.secrets import login_of
from reconciler.secrets.trust import may_send

if TYPE_CHECKING:
    from reconciler.config.policy import Policy
    from reconciler.settings import Settings
    from reconciler.sftp import Session, Target


class PreviewSource(SftpSource):
    """Opens sessions for changes that nobody has approved: a pull request names the server and the secret.

    A secret goes where it went before, where the policy lets it, or where a person says so (`trust_hosts`);
    else no connection is made at all. No key is taken at first sight, for none could be recorded.
    """

    def __init__(
        self, settings: Settings, policy: Policy, observed: Mapping[str, Observed], trust_hosts: bool
    ):
        super().__init__(settings, policy)
        self._policy_hosts = policy.hosts
        self._observed = observed
        self._trust_hosts = trust_hosts

    def open(self, connection: Connection, host_key_seen: str) -> Session:
        """Raises SecretError secret.bound before any connection is made, else as for any session."""
        district = connection.district
        before = self._observed.get(district.id)
        on_record = login_of(before.connection.district) if before else None
        for ref in (district.sftp.password, district.sftp.private_key, district.sftp.passphrase):
            refused = ref and may_send(
                ref, login_of(district), on_record, self._policy_hosts, self._trust_hosts
            )
            if refused:
                raise refused
        try:
            return super().open(connection, host_key_seen)
        except SftpError as error:
            if error.code == "sftp.host-key" and not district.sftp.host_key and not host_key_seen:
                error.hint = (
                    f"{error.hint}; a preview records no key, under policy.host_keys: first-use either"
                )
            raise

    def target(self, connection: Connection, host_key_seen: str) -> Target:
        return replace(super().target(connection, host_key_seen), accept_first=False)


def preview(
    app: App, plan: Plan, desired: Mapping[str, Connection], observed: Mapping[str, Observed],
    *, allow_removals: Collection[str], trust_hosts: bool, workers: int,
) -> tuple[dict[str, Preview], bool]:  # fmt: skip
    """The previews of a plan by district, and whether it was interrupted."""
    source = PreviewSource(app.settings, app.fleet.settings.policy, observed, trust_hosts)
    context = replace(app.context(allow_removals), source=source)
    with progress(sum(previewed(c.steps) for c in plan.changes)) as advance:
        return preview_plan(context, plan, desired, observed, workers=workers, progress=advance)
