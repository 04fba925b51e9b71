"""Which folder is the configuration repository."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import UsageError

DISTRICTS = "districts"
SETTINGS = "reconciler.yaml"


def find_root(explicit: Path | None, from_env: Path | None, cwd: Path) -> Path:
    """The repository's root, absolute: `-C`, else RECONCILER_ROOT, else the nearest with districts/.

    Relative paths are taken from `cwd`. Raises UsageError where the folder named has no districts/, or no
    parent has.
    """
    for source, named in (("-C", explicit), ("RECONCILER_ROOT", from_env)):
        if named is not None:
            return _checked((cwd / named).resolve(), source)
    start = cwd.resolve()
    root = next((folder for folder in (start, *start.parents) if (folder / DISTRICTS).is_dir()), None)
    if root is None:
        raise UsageError(
            f"no folder {DISTRICTS}/ in {start} or above it",
            hint="go to the configuration repository, or name it with -C DIR or RECONCILER_ROOT",
        )
    return root


def find_new_root(explicit: Path | None, from_env: Path | None, cwd: Path) -> Path:
    """As `find_root`, for commands that may begin a repository: districts/ need not be there yet.

    Where nothing is named and no parent has districts/, it is the git checkout around `cwd`, else `cwd`.
    Raises UsageError where the folder named is none.
    """
    named = explicit or from_env
    if named is None:
        start = cwd.resolve()
        around = (start, *start.parents)
        marks = ((folder, mark) for mark in (DISTRICTS, ".git") for folder in around)
        return next((folder for folder, mark in marks if (folder / mark).exists()), start)
    root = (cwd / named).resolve()
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder", hint="check the path, or create the folder")
    return root


def _checked(root: Path, source: str) -> Path:
    if not root.is_dir():
        raise UsageError(f"{source} names {root}, which is not a folder", hint="check the path")
    if not (root / DISTRICTS).is_dir():
        raise UsageError(
            f"{source} names {root}, which has no folder {DISTRICTS}/",
            hint=f"create {DISTRICTS}/ there, or name the repository's own folder",
        )
    return root
