"""Which folder is the configuration repository."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import UsageError

DISTRICTS = "districts"


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


def _checked(root: Path, source: str) -> Path:
    if not root.is_dir():
        raise UsageError(f"{source} names {root}, which is not a folder", hint="check the path")
    if not (root / DISTRICTS).is_dir():
        raise UsageError(
            f"{source} names {root}, which has no folder {DISTRICTS}/",
            hint=f"create {DISTRICTS}/ there, or name the repository's own folder",
        )
    return root
