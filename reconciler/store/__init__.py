"""The database: SQLModel tables, Alembic migrations, observed state, leases, the roster merge, history.

The only importer of sqlmodel, sqlalchemy, alembic and psycopg. SQLite and PostgreSQL behave alike.
"""

from __future__ import annotations

from reconciler.store.leases import HeldLease
from reconciler.store.store import Store
from reconciler.store.views import ConnectionView, LastSync, ResultView, RunView, SchoolCounts

__all__ = ["ConnectionView", "HeldLease", "LastSync", "ResultView", "RunView", "SchoolCounts", "Store"]
