"""What holds for every input, whatever it is: the promises that all targets have in common."""

from __future__ import annotations

import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from reconciler.errors import Problem, ReconcilerError

T = TypeVar("T")

CANARY = "Zqvxcanary"
"""Stands in the seeds wherever a child's data or a secret does. No message may hold it."""
CPU_SECONDS = 2.0
"""Of the processor for one input, beyond which it counts as a hang."""

_CODE = re.compile(r"[a-z]+(\.[a-z]+(-[a-z]+)*)?")
_OUR_FAULTS = ("internal", "csv.failed", "csv.accounting")
"""Codes of errors that are told in words, and are faults of ours all the same."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class BrokenPromiseError(AssertionError):
    """An input for which a promise does not hold."""


def expect(condition: object, promise: str) -> None:
    """Raise BrokenPromiseError with these words unless the condition holds."""
    if not condition:
        raise BrokenPromiseError(promise)


def result_or_refusal(call: Callable[[], T]) -> tuple[T | None, ReconcilerError | None]:
    """What a call returns, or the error in words that it ends with; anything else that it raises passes."""
    try:
        return call(), None
    except ReconcilerError as error:
        expect_good_error(error)
        return None, error


def expect_good_error(error: ReconcilerError) -> None:
    """The error has a stable code, words that are safe to show, and is none of our own faults."""
    said = error.to_json()
    expect(_CODE.fullmatch(said["code"]), f"the code {said['code']!r} has the form of a code")
    expect(said["code"] not in _OUR_FAULTS, f"no fault of ours: {said['code']} {said['message']}")
    expect(said["message"], "an error says what happened")
    expect_showable((said["message"], said["hint"]))
    expect(json.loads(json.dumps(said)) == said, "an error is valid JSON")


def expect_good_problems(problems: Iterable[Problem], text: str) -> None:
    """Each problem has a code, words that are safe to show, and a place that is in the text."""
    lines = text.split("\n")
    for problem in problems:
        expect(_CODE.fullmatch(problem.code), f"{problem.code!r} has the form of a code")
        expect(problem.message, "a problem says what is wrong")
        expect_showable((problem.message, problem.hint, problem.path))
        expect(0 <= problem.line <= len(lines), f"line {problem.line} is in the file: {problem.message}")
        if problem.line:
            width = len(lines[problem.line - 1]) + 1
            expect(1 <= problem.column <= width, f"column {problem.column} is on its line: {problem.message}")


def expect_showable(texts: Iterable[str]) -> None:
    """Nothing moves a terminal's cursor, begins a line of its own, or cannot be seen; and it can be read."""
    for text in texts:
        hidden = next((c for c in text if unicodedata.category(c) in _HIDDEN), "")
        expect(not hidden, f"U+{ord(hidden or ' '):04X} is not shown: {text[:200]!r}")
        expect(len(text) < 4000, f"a message is of a readable length: {text[:200]!r}")


def expect_no_canary(texts: Iterable[str], what: str) -> None:
    """No text holds a child's data, or a secret."""
    for text in texts:
        expect(CANARY.casefold() not in text.casefold(), f"{what} is in no message: {text[:300]!r}")


@contextmanager
def in_time(seconds: float = CPU_SECONDS) -> Iterator[None]:
    """What is done inside takes no more of the processor than this, however busy the machine is."""
    before = time.process_time()
    yield
    used = time.process_time() - before
    expect(used <= seconds, f"one input takes at most {seconds} s of the processor: {used:.1f} s")


def same(what: str, one: object, other: object) -> None:
    """Two ways, or two times, give the same."""
    expect(one == other, f"{what}: {str(one)[:300]} and {str(other)[:300]}")
