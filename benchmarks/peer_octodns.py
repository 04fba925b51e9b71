"""What octodns-sync is given: as many zones as districts, and a target that has all of them already.

The target keeps its records in one file, as our database keeps connections: nothing is asked over a network.
Run as a script it writes the zones; `octodns-sync` loads the class by its name.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, ClassVar

from octodns.provider.base import BaseProvider
from octodns.record import Record

_ZONE = """---
? ''
: - ttl: 300
    type: A
    values: [192.0.2.1, 192.0.2.2]
  - ttl: 300
    type: TXT
    value: sftp.example
www:
  ttl: 300
  type: CNAME
  value: www.example.net.
"""
_RECORDS: dict[str, list[dict[str, Any]]] = {
    "": [
        {"ttl": 300, "type": "A", "values": ["192.0.2.1", "192.0.2.2"]},
        {"ttl": 300, "type": "TXT", "value": "sftp.example"},
    ],
    "www": [{"ttl": 300, "type": "CNAME", "value": "www.example.net."}],
}


class StoredProvider(BaseProvider):  # type: ignore[misc]
    """A target whose records are those that a file has; it is only ever read."""

    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS: ClassVar[set[str]] = {"A", "TXT", "CNAME"}

    def __init__(self, id: str, file: str, *args: Any, **options: Any):  # noqa: A002 – octodns's name
        self.log = logging.getLogger(id)
        super().__init__(id, *args, **options)
        self._zones = json.loads(Path(file).read_text(encoding="utf-8"))

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:
        records = self._zones.get(zone.name, {})
        for name, found in records.items():
            for data in found:
                zone.add_record(Record.new(zone, name, data, source=self, lenient=lenient), lenient=lenient)
        return bool(records)

    def _apply(self, plan: Any) -> None:
        raise RuntimeError("there is nothing to apply")


def write_zones(folder: Path, zones: int) -> None:
    """The zones, the target's records and the configuration, in `folder`."""
    names = [f"district-{number:05d}.example." for number in range(zones)]
    (folder / "zones").mkdir(parents=True)
    for name in names:
        (folder / "zones" / f"{name}yaml").write_text(_ZONE, encoding="utf-8")
    (folder / "target.json").write_text(json.dumps(dict.fromkeys(names, _RECORDS)), encoding="utf-8")
    providers = {
        "files": {"class": "octodns.provider.yaml.YamlProvider", "directory": str(folder / "zones")},
        "target": {"class": "peer_octodns.StoredProvider", "file": str(folder / "target.json")},
    }
    wanted = {name: {"sources": ["files"], "targets": ["target"]} for name in names}
    # JSON is YAML too.
    (folder / "octodns.yaml").write_text(
        json.dumps({"providers": providers, "zones": wanted}), encoding="utf-8"
    )


if __name__ == "__main__":
    write_zones(Path(sys.argv[1]), int(sys.argv[2]))
