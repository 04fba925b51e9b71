"""The database: SQLModel tables, Alembic migrations, observed state, leases, the roster merge, history.

The only importer of sqlmodel, sqlalchemy, alembic and psycopg. SQLite and PostgreSQL behave alike. These take
half a second to load, so that nothing of them is before a name of this package is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconciler.store.leases import HeldLease
    from reconciler.store.store import Store
    from reconciler.store.views import ConnectionView, LastSync, ResultView, RunView, SchoolCounts

__all__ = ["ConnectionView", "HeldLease", "LastSync", "ResultView", "RunView", "SchoolCounts", "Store"]

_MODULES = {"Store": "store", "HeldLease": "leases"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'views')}"), name)
