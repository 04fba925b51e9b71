"""The command line: options, one call, render, exit code. The composition root."""

from __future__ import annotations


def main() -> None:
    """The entry point of the command `reconciler`."""
