"""`plan --against REV`: what differs from the files of a commit. No database, network or secret is asked.

That commit counts as carried out to its end. So a pull request can be read where nothing may be reached, as
in a job for somebody's fork.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from reconciler.cli.app import App
from reconciler.cli.git.asking import Git, GitError
from reconciler.cli.git.commit import CONFIGURATION
from reconciler.errors import ConfigError, ReconcilerError, UsageError
from reconciler.planning.connection import Connection, Observed
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.steps import target_phase
from reconciler.settings import temporary_folder

_FILE, _EXECUTABLE, _LINK = "100644", "100755", "120000"


@dataclass(frozen=True, slots=True)
class Against:
    """The commit that a plan compares with: as it was named, and its full name."""

    revision: str
    commit: str

    def to_json(self) -> dict[str, str]:
        return {"revision": self.revision, "commit": self.commit}


def plan_against(
    app: App,
    revision: str,
    desired: Mapping[str, Connection],
    refused: Mapping[str, ReconcilerError],
    only: Collection[str] | None,
) -> tuple[Plan, Against]:
    """The plan from the files of `revision` to those of the work tree.

    Raises UsageError for a revision that git does not know here, or a district that neither has, and
    ConfigError where the fleet's settings at that revision are not valid.
    """
    git = Git(app.root, app.settings)
    commit = _commit(git, revision)
    now = datetime.now(UTC)
    observed = _carried_out(app, git, commit, now)
    unknown = sorted(set(only or ()) - {*desired, *refused, *observed})
    if unknown:
        raise UsageError(
            f"there is no district {unknown[0]!r} here, nor at {revision}",
            code="usage.district",
            hint="a district's id is the name of its file under districts/, without .yaml",
        )
    retire_after = timedelta(days=app.fleet.settings.policy.retire_after_days)
    plan = build_plan(desired, observed, now=now, retire_after=retire_after, refused=refused, only=only)
    return plan, Against(revision, commit)


def _commit(git: Git, revision: str) -> str:
    """The full name of the commit. Raises UsageError usage.git or usage.revision."""
    git.require_repository()
    named = "" if revision.startswith("-") or not revision.isprintable() else revision
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}")
    commit = git.line(*asked) if named.strip() else ""
    if not commit:
        hint = (
            "fetch more of the history: fetch-depth: 2 shows HEAD^1, fetch-depth: 0 every commit"
            if git.is_shallow
            else "a revision is a branch, a tag or a commit, such as origin/main; perhaps `git fetch` is due"
        )
        raise UsageError(f"git knows no revision {ascii(revision)[:80]}", code="usage.revision", hint=hint)
    return commit


def _carried_out(app: App, git: Git, commit: str, now: datetime) -> dict[str, Observed]:
    """What the database would have if the files of `commit` had been reconciled to the end.

    A district whose file was wrong there is left out, as if it had never been.
    """
    with tempfile.TemporaryDirectory(prefix="reconciler-", dir=temporary_folder()) as folder:
        root = Path(folder)
        (root / "districts").mkdir()
        for path, link, content in _files(git, commit):
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.fsdecode(content)) if link else target.write_bytes(content)
        base = App()
        base.configure(app.settings, root, None)
        base.ask_no_database()
        try:
            applied = dict(base.desired()[0])  # read here: the files are gone afterwards
        except ConfigError as error:
            raise ConfigError(
                f"the files at {commit[:12]} are not valid, so nothing can be compared with them: "
                f"{error.message}",
                error.problems,
                hint="name a commit whose files `validate` accepts",
            ) from None
    return {
        name: Observed(one, target_phase(one.district, now), unfinished=False)
        for name, one in applied.items()
    }


def _files(git: Git, commit: str) -> Iterator[tuple[str, bool, bytes]]:
    """The configuration's files at the commit: path from the root, whether it is a link, content.

    Read as git stores them: no filter or attribute of the repository is obeyed.
    """
    try:
        tree = git.ask("ls-tree", "-r", "-z", commit, "--", *CONFIGURATION)
        entries = [_entry(line) for line in tree.split(b"\0") if line]
        blobs = [(mode, name, path) for mode, name, path in entries if mode in {_FILE, _EXECUTABLE, _LINK}]
        out = git.ask("cat-file", "--batch", given="".join(f"{name}\n" for _, name, _ in blobs).encode())
    except GitError as error:
        raise UsageError(f"git cannot read the files: {error.said}", code="usage.git") from None
    at = 0
    for mode, _, path in blobs:
        end = out.index(b"\n", at)
        length = int(out[at:end].split()[-1])
        at = end + length + 2
        yield path, mode == _LINK, out[end + 1 : end + 1 + length]


def _entry(line: bytes) -> tuple[str, str, str]:
    """Mode, object and path. Raises UsageError for a path that leads out of the repository."""
    head, _, name = line.partition(b"\t")
    mode, _, blob = head.decode().split()
    path = os.fsdecode(name)
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise UsageError("the commit holds a path that leads out of the repository", code="usage.revision")
    return mode, blob, path
