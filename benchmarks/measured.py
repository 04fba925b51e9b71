"""What a part of the benchmark found, beside the floor taken in the same run, and the goal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table. `value` and `floor` are in `unit`; a goal bounds the ratio, or the value."""

    what: str
    value: float
    floor: float | None = None
    goal: float | None = None
    """The most that the ratio may be (the least where `more_is_better`); without a floor, the value."""
    more_is_better: bool = False
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def reached(self) -> bool | None:
        """None where there is no goal."""
        if self.goal is None:
            return None
        found = self.value if self.ratio is None else self.ratio
        return found >= self.goal if self.more_is_better else found <= self.goal

    def as_json(self) -> dict[str, Any]:
        value = self.value if math.isfinite(self.value) else None
        return {**asdict(self), "value": value, "ratio": self.ratio, "reached": self.reached}


def table(results: Iterable[Measured]) -> str:
    """The results as people read them, one a line below a head."""
    head = f"{'what':<66} {'found':>9}    {'floor':>9} {'ratio':>6} {'goal':>7}  reached"
    return "\n".join([head, *map(_line, results)])


def _line(m: Measured) -> str:
    floor = f"{m.floor:9.2f}" if m.floor is not None else " " * 9
    ratio = f"{m.ratio:6.2f}" if m.ratio is not None else " " * 6
    sign = "≥" if m.more_is_better else "≤"
    goal = f"{sign} {m.goal:g}" if m.goal is not None else ""
    reached = {True: "yes", False: "NO", None: ""}[m.reached]
    line = f"{m.what:<66} {m.value:9.2f} {m.unit:<2} {floor} {ratio} {goal:>7}  {reached}"
    return f"{line:<114} {m.note}".rstrip()


def seconds(work: Callable[[], object]) -> float:
    """Wall clock of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
