"""Plans that are saved now and carried out later."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler import __version__
from reconciler.cli.app import App
from reconciler.cli.plans.plan_file import read_plan_file, write_plan_file
from reconciler.engine.looking import CONNECTING
from reconciler.engine.run import plan_fleet
from reconciler.engine.seen import Seen
from reconciler.errors import ReconcilerError, UsageError
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan
from reconciler.planning.saved_plan import SavedChange, refuse_moved, save_plan, unusable

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview


def write_plan(
    app: App, path: Path, plan: Plan, desired: Mapping[str, Connection], observed: Mapping[str, Observed],
    refused: Mapping[str, ReconcilerError], *, only: Collection[str] | None,
    previews: Mapping[str, Preview] | None, allow_removals: Collection[str],
) -> dict[str, str]:  # fmt: skip
    """Write the plan file; returns its path and digest. `previews` None: there was no preview."""
    info = app.run_info("plan")
    saved = save_plan(
        plan, desired, observed, app.fleet.settings.policy,
        seen=None if previews is None else {d: _seen(p) for d, p in previews.items()},
        scope=only, allow_removals=allow_removals, refused=list(refused),
        about={
            "reconciler": __version__, "commit": info.commit, "author": info.author, "actor": info.actor,
            "made_at": info.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    )  # fmt: skip
    write_plan_file(path, saved)
    return {"path": str(path), "digest": saved.digest}


def _seen(preview: Preview) -> dict[str, Any] | None:
    return preview.seen.to_json() if preview.seen else None


class SavedRun:
    """A plan file that is about to be carried out."""

    def __init__(self, path: Path, only: Collection[str], allow_removals: Collection[str]):
        """Raises PlanError plan.file, and UsageError for districts that it has nothing of."""
        self.saved = read_plan_file(path)
        self.only = only or self.saved.scope
        for name in (*only, *allow_removals):
            if name not in self.saved.changes and name not in self.saved.refused:
                raise UsageError(
                    f"the plan file has no change of {name}", code="usage.plan", hint="plan it, and save that"
                )
        asked = set(self.saved.allow_removals if not only else set(self.saved.allow_removals) & set(only))
        missing = sorted(asked - set(allow_removals))
        if missing:
            raise UsageError(
                f"the plan was made with --allow-removals {missing[0]}, which a file does not decide",
                code="usage.plan",
                hint=f"say it again: --allow-removals {missing[0]}",
            )

    def plan(
        self, app: App, desired: Mapping[str, Connection], refused: Mapping[str, ReconcilerError],
        allow_removals: Collection[str],
    ) -> Plan:  # fmt: skip
        """The plan as it stands now, which is the saved one. Raises PlanError plan.stale where it is not."""
        fresh = plan_fleet(app.context(allow_removals), desired, refused=refused, only=self.only)
        observed = app.store.observe()
        codes = {d: e.code for d, e in refused.items()}
        policy = app.fleet.settings.policy
        refuse_moved(self.saved, fresh, desired, observed, policy, codes, self.only)
        return fresh

    def planned(self, plan: Plan) -> dict[str, Seen | None]:
        """The files and rows that the plan's districts are held to. Raises PlanError plan.file."""
        if not self.saved.previewed:
            return {}
        due = (c for c in plan.changes if not CONNECTING.isdisjoint(c.steps))
        return {c.district: _read_seen(self.saved.changes[c.district]) for c in due}


def _read_seen(saved: SavedChange) -> Seen | None:
    try:
        return Seen.from_json(saved.seen) if saved.seen else None
    except (KeyError, TypeError, ValueError):
        raise unusable("is not as reconciler writes it") from None
