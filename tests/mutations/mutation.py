"""One guarantee's mutation, as a TOML file beside this one says it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class Mutation:
    """A check, what to write in its place, and the tests that have to notice."""

    name: str
    """The TOML file's, without its ending."""
    guarantee: str
    """G1 to G25, T1 to T13, or a promise of the contract."""
    promise: str
    """What holds only because of the check."""
    file: str
    """Below the root of the repository."""
    find: str
    replace: str
    tests: tuple[str, ...]
    """As pytest takes them."""

    def applied_to(self, text: str) -> str:
        """The file's text without the check. Raises ValueError unless the check stands in it once."""
        if text.count(self.find) != 1:
            raise ValueError(f"{self.name}: stands {text.count(self.find)} times in {self.file}, not once")
        return text.replace(self.find, self.replace)


def read_mutations(folder: Path = HERE) -> list[Mutation]:
    """All of them, in the order of the guarantees' numbers. Raises KeyError for what a file leaves out."""
    return sorted((_read(path) for path in folder.glob("*.toml")), key=_number)


def _read(path: Path) -> Mutation:
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    return Mutation(
        name=path.stem,
        guarantee=said["guarantee"],
        promise=said["promise"],
        file=said["file"],
        find=said["find"],
        replace=said["replace"],
        tests=tuple(said["test"].split()),
    )


def _number(mutation: Mutation) -> tuple[str, int, str]:
    digits = "".join(c for c in mutation.guarantee if c.isdigit())
    return mutation.guarantee[:1], int(digits or 0), mutation.name
