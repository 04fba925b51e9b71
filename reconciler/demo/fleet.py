"""The example fleet: where it lies, and how it is copied so that its districts lead to a local server."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import UsageError

_PACKAGE = Path(__file__).parent
_REPLACED = re.compile(r"^  (host|port|host_key|pause):.*\n(?:    .*\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Address:
    """The local server as a district's file names it."""

    port: int
    host_key: str
    """As `type base64`."""


def example_fleet() -> Path:
    """The folder with the example's districts/ and mappers/: the checkout, else what the wheel carries.

    Raises UsageError where this installation has neither.
    """
    for folder in (_PACKAGE.parents[1], _PACKAGE):
        if (folder / "districts").is_dir() and (folder / "mappers").is_dir():
            return folder
    raise UsageError("this installation has no example fleet", hint="run the demo from a checkout")


def copy_fleet(source: Path, to: Path, address: Address) -> None:
    """Copy districts/ and mappers/ to the folder `to`, every district led to `address`."""
    shutil.copytree(source / "mappers", to / "mappers")
    for file in sorted((source / "districts").rglob("*.yaml")):
        copy = to / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(redirected(file.read_text(encoding="utf-8"), address), encoding="utf-8")


def redirected(text: str, address: Address) -> str:
    """A district's file with another host, port and host key, and no pause, so that it syncs on any day."""
    lines = {
        "host": f"  host: 127.0.0.1\n  port: {address.port}\n",
        "host_key": f"  host_key: {address.host_key}\n",
    }
    return _REPLACED.sub(lambda match: lines.get(match[1], ""), text)
