"""Text for people: columns, counts and small words. Colour is click's styling, dropped where not wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

_COLOURS = {
    "succeeded": "green", "unchanged": "white", "failed": "red", "blocked": "yellow", "skipped": "white",
    "create": "green", "update": "yellow", "start": "green", "stop": "yellow", "retire": "red",
    "Started": "green", "Failing": "red", "Blocked": "yellow", "error": "red", "warning": "yellow",
    "mapped": "green", "unmapped": "yellow",
}  # fmt: skip
_SYMBOLS = {"succeeded": "✔", "unchanged": "=", "failed": "✘", "blocked": "!", "skipped": "·"}


def coloured(word: str, text: str = "") -> str:
    """A word in its colour, or another text in that word's colour."""
    return click.style(text or word, fg=_COLOURS.get(word))


def symbol(outcome: str) -> str:
    """One character for an outcome."""
    return coloured(outcome, _SYMBOLS.get(outcome, "?"))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns: numbers to the right, text to the left; an id is text, whatever it looks like."""
    listed = [list(row) for row in rows]
    numeric = [bool(listed) and all(isinstance(row[i], int) for row in listed) for i in range(len(header))]
    cells = [[str(c) for c in row] for row in (header, *listed)]
    widths = [max(len(click.unstyle(row[i])) for row in cells) for i in range(len(header))]
    lines = []
    for number, row in enumerate(cells):
        parts = [_pad(c, w, right=n) for c, w, n in zip(row, widths, numeric, strict=True)]
        line = "  ".join(parts).rstrip()
        lines.append(click.style(line, bold=True) if number == 0 else line)
    return "\n".join(lines)


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - len(click.unstyle(text)))
    return space + text if right else text + space


def plural(number: int, noun: str) -> str:
    """`1 school`, `2 schools`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Somebody else's text on one line: what a terminal would obey, and nobody sees, is written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def error_lines(code: str, message: str, hint: str) -> list[str]:
    """An error under the line of what it belongs to."""
    lines = [f"    {coloured('error', code)}: {message}"]
    return [*lines, f"    → {hint}"] if hint else lines
