"""Preparations: why one failed, what it is made from, and what it measures of itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("preparations", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.add_column("preparations", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "preparation_measurements",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("measured_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key"], ["preparations.key"], name=op.f("fk_preparation_measurements_key_preparations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "step", "name", name=op.f("pk_preparation_measurements")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("preparation_measurements")
    op.drop_column("preparations", "settings")
    op.drop_column("preparations", "reason")
