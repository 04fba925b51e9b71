"""A sign of life through what happens to servers: whoever lives keeps its districts."""

from __future__ import annotations

import os
import socket

import pytest

from reconciler.errors import LockError
from reconciler.store import Store, holder, sign
from tests.conftest import require
from tests.databases import Postgres
from tests.faults.cluster import cluster
from tests.faults.laboratory import Figure


@pytest.mark.timeout(600)
def test_a_living_holder_of_another_machine_outlives_a_crash_of_the_server(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, rounds: int, figure: Figure
) -> None:
    """All sessions end, those with signs too. Nobody is dead for it."""
    require(
        not os.environ.get("RECONCILER_TEST_DATABASE_URL"), "the tests have no PostgreSQL server of their own"
    )
    monkeypatch.setattr(sign, "_SETTLED_SECONDS", 2)
    restarts = max(rounds // 10, 1)
    with cluster() as server, server.database(migrated=True) as url:
        for _ in range(restarts):
            with Store(url) as elsewhere, Store(url) as here:
                with monkeypatch.context() as patch:
                    patch.setattr(holder, "_machine", lambda: "another boot pid:[1]")
                    patch.setattr(socket, "gethostname", lambda: "elsewhere")
                    lease = elsewhere.acquire("oak", wait_seconds=0)
                server.restart()
                with pytest.raises(LockError, match="on elsewhere works on this district"):
                    here.acquire("oak", wait_seconds=2 + 2 * sign.LOOKS_APART_SECONDS)
                elsewhere.renew(lease)
                elsewhere.release(lease)
    figure(f"{restarts} restarts; the living holder kept its district each time")
