"""`--since REV`: which files differ from where the branch left REV, and which districts they concern."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.cli.app import App
from reconciler.cli.git.asking import Git, GitError
from reconciler.config.find import display_name
from reconciler.errors import UsageError
from reconciler.planning.connection import Observed
from reconciler.planning.touched import FLEET_FILE, Since, Use, changed_mappers, touched

_CONFIGURATION = ("districts", "mappers", "approvals", FLEET_FILE)
_WHOLE_HISTORY = (
    "fetch the whole history: `fetch-depth: 0` for actions/checkout, else `git fetch --unshallow`"
)


def limited(app: App, revision: str) -> tuple[Since, frozenset[str]]:
    """What the branch touches, and the districts that it concerns.

    Raises UsageError for a revision that git does not know, or whose common ancestor it does not have.
    """
    git = Git(app.root, app.settings)
    commit, base = branch_point(git, revision)
    changed = _changed(git, app.root, base)
    uses = _uses(app, with_mappers=bool(changed_mappers(changed)))
    found = touched(changed, uses, app.library.bases())
    reason = _everything(changed, app.root)
    names = frozenset(uses) if found is None or reason else found
    left_out = len(uses) - len(names)
    return Since(revision, commit, base, len(changed), len(names), left_out, reason), names


def branch_point(git: Git, revision: str) -> tuple[str, str]:
    """The commit that a revision stands for, and the last one that it shares with HEAD. Raises UsageError."""
    if revision.startswith("-") or not revision.isprintable() or not revision.strip():
        raise _unknown(revision, "a revision is a branch, a tag or a commit, such as origin/main")
    git.require_repository()
    commit = git.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        raise _unknown(
            revision, _WHOLE_HISTORY if git.is_shallow else f"`git fetch`, or correct {revision!r}"
        )
    if not git.line("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
        raise UsageError(
            "the repository has no commit yet", code="usage.revision", hint="leave out --since, or commit"
        )
    base = git.line("merge-base", commit, "HEAD")
    if not base:
        raise UsageError(
            f"git knows of no commit that HEAD and {revision} have in common",
            code="usage.revision",
            hint=_WHOLE_HISTORY if git.is_shallow else "name the branch that this one comes from",
        )
    return commit, base


def _unknown(revision: str, hint: str) -> UsageError:
    shown = ascii(revision)[1:-1][:80]
    return UsageError(f"git knows no revision {shown!r}", code="usage.revision", hint=hint)


def _changed(git: Git, root: Path, base: str) -> frozenset[str]:
    """The configuration's files that are not as they were at `base`, by the names that reports use."""
    links = _links(root)
    where = [*_CONFIGURATION, *sorted(set(links.values()))]
    try:
        different = git.paths(
            "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
            "--ignore-submodules=none", "--relative", "-O/dev/null", base, "--", *where,
        )  # fmt: skip
        # Ignored files as well: what lies under districts/ is read, whatever git makes of it.
        different += git.paths("ls-files", "-z", "--others", "--", *where)
    except GitError as error:
        raise UsageError(f"git cannot compare the files: {error.said}", code="usage.git") from None
    names = {display_name(root, root / os.fsdecode(path)) for path in different}
    return frozenset(names | {link for link, target in links.items() if target in names})


def _links(root: Path) -> dict[str, str]:
    """Files of the configuration that are symbolic links, each with the file that it leads to."""
    found = {}
    for path in _files(root):
        target = path.resolve() if path.is_symlink() else root
        if target != root and target.is_relative_to(root):
            found[display_name(root, path)] = target.relative_to(root).as_posix()
    return found


def _files(root: Path) -> Iterable[Path]:
    yield root / FLEET_FILE
    for folder in ("districts", "mappers", "approvals"):
        yield from (Path(at) / name for at, _, names in os.walk(root / folder) for name in names)


def _everything(changed: frozenset[str], root: Path) -> str:
    if FLEET_FILE in changed:
        return f"{FLEET_FILE} is among them"
    if (root / "mappers").is_symlink():
        return "mappers/ is a symbolic link"
    return ""


def _uses(app: App, *, with_mappers: bool) -> dict[str, Use]:
    """Every district that the files or the database have, with what it reads.

    Its mapper is told only where one has changed: it is the one thing for which each file is to be read.
    """
    fleet, observed = app.fleet, app.store.observe()
    names = fleet.districts.keys() | fleet.refused.keys() | observed.keys()
    none: frozenset[str] = frozenset()
    return {
        name: Use(
            fleet.files.get(name, ""),
            _mappers(app, name, observed) if with_mappers else none,
            fleet.refused.get(name, ()),
        )
        for name in sorted(names)
    }


def _mappers(app: App, name: str, observed: dict[str, Observed]) -> frozenset[str]:
    known = [app.fleet.districts[name]] if name in app.fleet.districts else []
    known += [observed[name].connection.district] if name in observed else []
    return frozenset(district.mapper for district in known)
