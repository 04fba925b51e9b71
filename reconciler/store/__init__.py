"""The database: SQLModel tables, Alembic migrations, observed state, leases, the roster merge, history.

The only importer of sqlmodel and sqlalchemy. SQLite and PostgreSQL behave alike."""

from __future__ import annotations
