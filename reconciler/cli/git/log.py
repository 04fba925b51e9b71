"""What git says of the commits in history: one `git log` for all of them, however many there are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from reconciler.cli.git.asking import Git, GitError
from reconciler.cli.git.commit import CONFIGURATION
from reconciler.errors import UsageError
from reconciler.render.commits import ChangedFile, GitCommit
from reconciler.settings import Settings

_HEX = re.compile(r"[0-9a-f]{7,64}")
_STATUS = re.compile(r"\n?([A-Z])[0-9]*")
_FIELDS = ("%H", "%P", "%an <%ae>", "%aI", "%s", "%b")
_CHANGES = {"A": "added", "D": "removed"}

# `--ignore-missing` has to stand before `--stdin`. A merge shows what it brought into its first parent.
_LOG = (
    "log", "--ignore-missing", "--no-walk=unsorted", "-z", "-m", "--first-parent", "--root", "--no-renames",
    "--name-status", "--relative", "--no-color", "--encoding=UTF-8", f"--format={'%x00'.join(_FIELDS)}",
    "--stdin",
)  # fmt: skip

_REQUESTS = (
    (re.compile(r"^Merge pull request #(\d+) "), "#"),  # GitHub's merge commit
    (re.compile(r"\(#(\d+)\)$"), "#"),  # GitHub's squash
    (re.compile(r"\(pull request #(\d+)\)$"), "#"),  # Bitbucket
    (re.compile(r"^Merged PR (\d+):"), "#"),  # Azure DevOps
    (re.compile(r"\((?:[\w./-]*)!(\d+)\)$"), "!"),  # GitLab's squash, where a project's template says so
)
_GITLAB = re.compile(
    r"^See merge request (?:[\w./-]*)!(\d+)$", re.MULTILINE
)  # in the body of its merge commit

_NO_CHECKOUT = "not known: this folder is no checkout that git can read"
_SHALLOW = "not in this clone, which is shallow: fetch the whole history to see it"
_ABSENT = "not in this repository: not fetched, or its history was rewritten since"


def read_commits(root: Path, settings: Settings, commits: Collection[str]) -> dict[str, GitCommit]:
    """Each of `commits` as git has it, or with the reason why it is not to be had.

    `-dirty` at the end of a commit is allowed and kept in the key. An empty text is no commit, and absent
    from the answer. Files are those of the configuration, by their path from `root`.
    """
    named = {c: c.removesuffix("-dirty") for c in commits if c}
    if not named:
        return {}
    asked = sorted({c for c in named.values() if _HEX.fullmatch(c)})
    git = Git(root, settings)
    try:
        answer = git.ask(*_LOG, given="\n".join([*asked, ""]).encode())
    except (GitError, UsageError):
        return dict.fromkeys(named, GitCommit(note=_NO_CHECKOUT))
    shallow = git.is_shallow
    found = dict(_parsed(answer.decode("utf-8", "replace"), shallow))
    absent = GitCommit(note=_SHALLOW if shallow else _ABSENT)
    return {c: _named(short, found) or absent for c, short in named.items()}


def _named(commit: str, found: dict[str, GitCommit]) -> GitCommit | None:
    """By its whole name, or by a beginning that only one has."""
    if commit in found:
        return found[commit]
    fitting = [full for full in found if full.startswith(commit)]
    return found[fitting[0]] if len(fitting) == 1 else None


def _parsed(out: str, shallow: bool) -> Iterator[tuple[str, GitCommit]]:
    """The commits in git's answer. No field can hold a NUL, so nobody's message can pass for a commit."""
    tokens = out.split("\0")
    at = 0
    while at + len(_FIELDS) <= len(tokens):
        commit, parents, author, date, subject, body = tokens[at : at + len(_FIELDS)]
        at += len(_FIELDS)
        files = []
        while at + 1 < len(tokens) and (status := _STATUS.fullmatch(tokens[at])):
            files.append(ChangedFile(tokens[at + 1], _CHANGES.get(status[1], "changed")))
            at += 2
        cut = shallow and not parents  # git shows the whole tree as new where a shallow clone ends
        yield (
            commit,
            GitCommit(
                found=True,
                author=author,
                date=datetime.fromisoformat(date).astimezone(UTC),
                subject=subject,
                request=_request(subject, body),
                files=() if cut else tuple(f for f in files if f.path.split("/")[0] in CONFIGURATION),
                note="what it changed is not known: this clone is shallow and ends here" if cut else "",
            ),
        )


def _request(subject: str, body: str) -> str:
    """The pull or merge request that a merge or squash came from, as `#12` or `!12`."""
    for pattern, sign in _REQUESTS:
        if match := pattern.search(subject):
            return f"{sign}{match[1]}"
    match = _GITLAB.search(body)
    return f"!{match[1]}" if match else ""
