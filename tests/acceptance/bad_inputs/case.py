"""One row of the tables: what is wrong, the command that meets it, and what the person is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.world import Done, World

OAK = """\
district: oak
name: Oak
account: "104592"
sftp:
  host: 127.0.0.1
  port: 22
  username: oak
  password: {env: SFTP_OAK_PASSWORD}
  host_key: SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU
mapper: generic
schools:
  - sis_id: "0042"
    school: lincoln
"""
FILE = "districts/oak.yaml"

Build = Callable[[World], object]
Way = Callable[[World, tuple[str, ...]], Done]


def in_this_process(world: World, arguments: tuple[str, ...]) -> Done:
    """The usual way: through the command line's own entry."""
    return world.run(*arguments)


@dataclass(frozen=True)
class Case:
    """`id` is list, number and name: `yaml-01-key-twice`. The command runs as text and as JSON."""

    id: str
    build: Build
    code: str
    """The stable code; empty where the outcome is no error."""
    says: str
    """A distinctive part of what is said."""
    at: str = ""
    """`file:line:column`, where it has one."""
    exit: int = 1
    command: tuple[str, ...] = ("validate",)
    way: Way = in_this_process
    json: bool = True
    """False where the command has no JSON, or its way is the point."""
    after: Callable[[World], object] | None = None
    """What else must hold when both are done."""

    @property
    def number(self) -> int:
        return int(self.id.split("-")[1])


def content(text: str | bytes) -> Build:
    """The district's file, as a whole."""
    data = text if isinstance(text, bytes) else text.encode()
    return lambda world: (world.root / FILE).write_bytes(data)


def changed(old: str, new: str) -> Build:
    """A district's file that is right but for one place."""
    assert OAK.count(old) == 1, old
    return content(OAK.replace(old, new))


def with_more(text: str) -> Build:
    """A district's file that is right, and goes on."""
    return content(OAK + text)


def write(world: World, name: str, text: str) -> Path:
    """Another file of the repository."""
    path = world.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def both(*builds: Build) -> Build:
    """One after the other."""

    def build(world: World) -> None:
        for one in builds:
            one(world)

    return build
