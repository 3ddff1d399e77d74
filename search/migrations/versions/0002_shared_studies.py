"""Studies that several processes share: notes, leases, metadata and links of trials."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("learnt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("proposer", sa.String(length=255), nullable=True),
        sa.Column("shared_at", sa.Double(), nullable=True),
        sa.Column("loop_ended_at", sa.Double(), nullable=True),
    ):
        op.add_column("progress", column)
    op.add_column("trials", sa.Column("note", sa.Text(), nullable=True))
    _create_leases()
    _create_annotations()


def _create_leases() -> None:
    _create_of_trials(
        "trial_leases",
        ["worker"],
        sa.Column("worker", sa.String(length=255), nullable=False),
        sa.Column("team", sa.String(length=255), nullable=False),
        sa.Column("lease_host", sa.String(length=255), nullable=False),
        sa.Column("lease_machine", sa.String(length=64), nullable=False),
        sa.Column("lease_pid", sa.BigInteger(), nullable=False),
        sa.Column("lease_pid_started", sa.BigInteger(), nullable=False),
        sa.Column("lease_renewed_at", sa.Double(), nullable=False),
        sa.Column("lease_uptime_s", sa.Double(), nullable=False),
    )


def _create_annotations() -> None:
    op.create_table(
        "study_metadata",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_metadata_study_id_studies"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "name", name=op.f("pk_study_metadata")),
        sqlite_with_rowid=False,
    )
    for table in ("trial_metadata", "trial_links"):
        _create_of_trials(
            table,
            ["name"],
            sa.Column("name", sa.String(length=255), nullable=False),
            sa.Column("value", sa.Text(), nullable=False),
        )
    _create_of_trials(
        "steps",
        ["step"],
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("elapsed_s", sa.Double(), nullable=False),
        sa.Column("checkpoint_path", sa.Text(), nullable=True),
    )


def _create_of_trials(table: str, keys: list[str], *columns: sa.Column[Any]) -> None:
    """Create a table whose rows hang on trials."""
    op.create_table(
        table,
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["study_id", "number"],
            ["trials.study_id", "trials.number"],
            name=op.f(f"fk_{table}_study_id_number_trials"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study_id", "number", *keys, name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("steps", "trial_links", "trial_metadata", "study_metadata", "trial_leases"):
        op.drop_table(table)
    op.drop_column("trials", "note")
    for column in ("loop_ended_at", "shared_at", "proposer", "learnt"):
        op.drop_column("progress", column)
