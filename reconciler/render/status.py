"""Connections as text: one line each, or one in full."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.render.text import coloured, error_lines, table
from reconciler.store.views import ConnectionView, iso

_HEADER = ("DISTRICT", "PHASE", "SYNC STATUS", "SCHOOLS", "STUDENTS", "CONTACTS", "LAST SYNC", "PROBLEM")


def status_text(views: Sequence[ConnectionView], *, detailed: bool) -> str:
    """A table of all, with what is wrong below it; or everything about one."""
    if not views:
        return "No connection yet: `reconciler plan` shows what waits to be reconciled."
    if detailed:
        return "\n".join(_detail(views[0]))
    lines = [table(_HEADER, [_row(v) for v in views])]
    for view in views:
        if view.problem:
            p = view.problem
            lines += [view.district, *error_lines(p["code"], p["message"], p.get("hint", ""))]
    return "\n".join(lines)


def _row(view: ConnectionView) -> tuple[object, ...]:
    unmapped = f" (+{view.schools.unmapped} unmapped)" if view.schools.unmapped else ""
    return (
        view.district,
        view.phase,
        coloured(view.sync_status),
        f"{view.schools.mapped}{unmapped}",
        view.rows.get("students", 0),
        view.rows.get("contacts", 0),
        iso(view.last_sync.at) if view.last_sync else "never",
        coloured("error", view.problem["code"]) if view.problem else "",
    )


def _detail(view: ConnectionView) -> list[str]:
    schools = view.schools
    last = view.last_sync
    facts = {
        "name": view.name,
        "account": view.account,
        "host": view.host,
        "mapper": view.mapper,
        "phase": view.phase,
        "sync status": coloured(view.sync_status),
        "schools": f"{schools.mapped} mapped, {schools.unmapped} unmapped, {schools.ignored} ignored",
        "rows": ", ".join(f"{count} {entity}" for entity, count in view.rows.items()),
        "last sync": f"{iso(last.at)} {last.outcome} {(last.commit or '')[:12]}".rstrip()
        if last
        else "never",
    }
    if view.retired_at:
        facts["retired"] = f"{iso(view.retired_at)}: its file is gone"
    lines = [view.district, *(f"    {name:<12} {value}" for name, value in facts.items())]
    if view.problem:
        lines += error_lines(view.problem["code"], view.problem["message"], view.problem.get("hint", ""))
        lines += [f"    held as {view.problem['digest']}"] if view.problem.get("digest") else []
    return lines
