"""`reconciler demo`: a throwaway fleet, SFTP server and database, taken through the whole of it."""

from __future__ import annotations

import sys

import click

from reconciler.cli.exits import DONE
from reconciler.demo.stage import stage
from reconciler.demo.walk import Screen, take_walk


@click.command("demo")
def command() -> int:
    """Take a throwaway fleet through the whole of it: no network, nothing left behind.

    Starts an SFTP server on this machine, copies the example fleet into a temporary folder, and runs the
    commands that a team runs, each with what it prints. Takes less than a minute.
    """
    screen = Screen(click.echo, lambda text: click.style(text, bold=True), sys.stdout.isatty())
    with stage() as there:
        take_walk(there, screen)
    click.echo("\nThat is all of it. The example fleet to start from lies in districts/ and mappers/.")
    return DONE
