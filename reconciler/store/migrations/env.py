"""Runs migrations inside the transaction that `reconciler.store.migration` began and will commit."""

from __future__ import annotations

from alembic import context

from reconciler.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
