"""Source rows are kept for OneRoster's deltas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from reconciler.store.columns import Key

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "source_file",
        sa.Column("district", Key(), nullable=False),
        sa.Column("file", Key(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("unread", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("district", "file", name=op.f("pk_source_file")),
        sqlite_strict=True,
    )
