"""Questions to the person at the terminal, on standard error; nobody is there in a script."""

from __future__ import annotations

import select
import sys

import click

_PATIENCE = 2.0
"""Seconds for an answer that is piped in."""


class Asker:
    """Asks, where somebody can answer. `quiet`: facts are not asked for; a confirmation always is."""

    def __init__(self, *, quiet: bool):
        self._is_terminal = sys.stdin is not None and sys.stdin.isatty()
        self._quiet = quiet or not self._is_terminal

    def ask(self, question: str, default: str) -> str:
        """A fact; the default where nobody answers."""
        if self._quiet:
            return default
        answer: str = click.prompt(question, default=default, err=True)
        return answer.strip() or default

    def choose(self, question: str, choices: list[str], default: str) -> str:
        """One of several names, or the default."""
        if self._quiet:
            return default
        answer: str = click.prompt(
            question, default=default, type=click.Choice([*choices, default]), err=True, show_choices=False
        )
        return answer

    def confirm(self, question: str) -> bool:
        """Yes only where somebody says yes, at the terminal or through a pipe; silence is no."""
        if self._is_terminal:
            return click.confirm(question, default=False, err=True)
        answer = _piped_line()
        click.echo(f"{question} [y/N]: {answer or 'nobody answers'}", err=True)
        return answer.lower() in ("y", "yes")


def _piped_line() -> str:
    """A line of standard input, if one comes soon."""
    try:
        ready, _, _ = select.select([sys.stdin], [], [], _PATIENCE)
        return sys.stdin.readline().strip() if ready else ""
    except (OSError, ValueError, TypeError, AttributeError):
        return ""
