"""The files of a folder of mappers: those that count, and those that only look as if they did."""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import MapperError, Problem

_ENDINGS = (".yaml", ".yml", ".json")
"""Of files with one stem, the last counts."""


def mapper_files(folder: Path) -> list[Path]:
    """The mapper files in a folder, those that count last; none where there is no folder.

    Raises MapperError for one that cannot be listed: without the repository's own mappers a district would
    silently be read by the built-in one of the same name.
    """
    found = _listed(folder)
    return [p for ending in _ENDINGS for p in found if p.suffix == ending]


def passed_over(folder: Path, display: str) -> list[Problem]:
    """Files that look like mappers and are not read. `display` is the folder's name in reports."""
    counting = {p.stem: p for p in mapper_files(folder)}
    problems = []
    for path in _listed(folder):
        ending = path.suffix.lower()
        if ending not in _ENDINGS or path == counting.get(path.stem):
            continue
        if path.suffix in _ENDINGS:
            message, hint = f"is not read: {counting[path.stem].name} has this name", "keep one of the two"
        else:
            message, hint = f"is not read: the ending must be {ending}", f"rename it to {path.stem}{ending}"
        problems.append(Problem("mapper.schema", "error", f"{display}/{path.name}", 0, 0, "", message, hint))
    return problems


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise MapperError(
            f"the folder {folder.name}/ cannot be read: {reason}", hint="check the checkout; nothing was done"
        ) from None
