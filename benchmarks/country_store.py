"""A database in which the country is reconciled already: every connection as it is after a first sync."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from reconciler.config.fingerprint import fingerprint_of_mappers
from reconciler.config.fleet import load_fleet
from reconciler.mapping.library import MapperLibrary
from reconciler.planning.steps import target_phase
from reconciler.store import Store
from reconciler.store.tables import CONNECTION


def write_database(root: Path, path: Path) -> None:
    """Migrated, with a connection for each valid district of the repository; no rows of children."""
    library = MapperLibrary(root)
    fleet = load_fleet(root, mappers=library.names())
    now = datetime.now(UTC)
    rows = [
        {
            "district": name,
            "account": district.account,
            "name": district.name,
            "spec": json.dumps(district.to_json(), sort_keys=True, ensure_ascii=False),
            "mapper": district.mapper,
            "mapper_digest": library.get(district.mapper).digest,
            "phase": target_phase(district, now).value,
            "unfinished": False,
            "deactivated": False,
            "fingerprint": f"{fleet.fingerprints[name]}.{fingerprint_of_mappers(root)}",
            "outcome": "succeeded",
        }
        for name, district in fleet.districts.items()
    ]
    with Store(f"sqlite:///{path}") as store:
        store.migrate()
        store._database.write(lambda transaction: transaction.execute(insert(CONNECTION), rows))
