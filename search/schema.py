"""The tables: studies, their progress, trials, metrics, notes, logs and leases of trials, tables, preparations."""

from __future__ import annotations

import sqlalchemy as sa

VERSION = "0004"
"""The newest migration; a database of another version is upgraded when it is opened, or refused when it is newer."""

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMES)


def _study() -> sa.Column[int]:
    """Return the column that ties a row to its study and is deleted with it."""
    return sa.Column("study_id", sa.Integer, sa.ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)


studies = sa.Table(
    "studies",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("space", sa.JSON, nullable=False),
    sa.Column("objectives", sa.JSON, nullable=False),
    sa.Column("constraints", sa.JSON, nullable=False),
    sa.Column("algorithm", sa.JSON, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("max_trials", sa.Integer, nullable=False),
    sa.Column("retries", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sqlite_autoincrement=True,  # a deleted study's id is never given again, so its late driver meets no row
)

# What changes with every trial stands apart from what a study was made from, so that a commit rewrites little.
progress = sa.Table(
    "progress",
    metadata,
    _study(),
    sa.Column("change_seq", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("request", sa.String(16)),
    sa.Column("pending", sa.Integer, nullable=False),
    sa.Column("running", sa.Integer, nullable=False),
    sa.Column("completed", sa.Integer, nullable=False),
    sa.Column("infeasible", sa.Integer, nullable=False),
    sa.Column("stopped", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("lease_number", sa.BigInteger, nullable=False),
    sa.Column("lease_host", sa.String(255)),
    sa.Column("lease_machine", sa.String(64)),
    sa.Column("lease_pid", sa.BigInteger),
    sa.Column("lease_pid_started", sa.BigInteger),
    sa.Column("lease_renewed_at", sa.Double),
    sa.Column("lease_uptime_s", sa.Double),
    sa.Column("algorithm_state", sa.Text, nullable=False),
    # Of studies that several processes share (`search/shared_study.py`): how many results the algorithm had taken in
    # and which process had it when its state was saved, when any of them last said that it lives, when the loop ended.
    sa.Column("learnt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("proposer", sa.String(255)),
    sa.Column("shared_at", sa.Double),
    sa.Column("loop_ended_at", sa.Double),
)

trials = sa.Table(
    "trials",
    metadata,
    _study(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("losses", sa.Integer, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("told", sa.Integer),
    sa.Column("change_seq", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("started_at", sa.Double),
    sa.Column("finished_at", sa.Double),
    sa.Column("elapsed_s", sa.Double),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("genotype", sa.Text, nullable=False),
    sa.Column("note", sa.Text),  # JSON, the algorithm's own
    sa.Index("ix_trials_change", "study_id", "change_seq"),
    sqlite_with_rowid=False,
)


def _trial() -> sa.ForeignKeyConstraint:
    """Return the key that ties a row to its trial and is deleted with it."""
    return sa.ForeignKeyConstraint(["study_id", "number"], ["trials.study_id", "trials.number"], ondelete="CASCADE")


# Final values, one a row; what came before them is in `measurements`.
metrics = sa.Table(
    "metrics",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    _trial(),
    sqlite_with_rowid=False,
)

measurements = sa.Table(
    "measurements",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("measured_at", sa.Double, nullable=False),
    _trial(),
    sqlite_with_rowid=False,
)

fronts = sa.Table(
    "fronts",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _trial(),
    sqlite_with_rowid=False,
)

# Who works on a trial of a shared study; co-workers of one group have a row each.
trial_leases = sa.Table(
    "trial_leases",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("worker", sa.String(255), primary_key=True),
    sa.Column("team", sa.String(255), nullable=False),
    sa.Column("lease_host", sa.String(255), nullable=False),
    sa.Column("lease_machine", sa.String(64), nullable=False),
    sa.Column("lease_pid", sa.BigInteger, nullable=False),
    sa.Column("lease_pid_started", sa.BigInteger, nullable=False),
    sa.Column("lease_renewed_at", sa.Double, nullable=False),
    sa.Column("lease_uptime_s", sa.Double, nullable=False),
    _trial(),
    sqlite_with_rowid=False,
)

# What programs keep with a study or a trial, as JSON; read as plain values.
study_metadata = sa.Table(
    "study_metadata",
    metadata,
    _study(),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

trial_metadata = sa.Table(
    "trial_metadata",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    _trial(),
    sqlite_with_rowid=False,
)

trial_links = sa.Table(
    "trial_links",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    _trial(),
    sqlite_with_rowid=False,
)

# What is known of a step besides its measurements.
steps = sa.Table(
    "steps",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("elapsed_s", sa.Double, nullable=False),
    sa.Column("checkpoint_path", sa.Text),
    _trial(),
    sqlite_with_rowid=False,
)

# The end of what an evaluation wrote; a trial that wrote nothing has no row.
trial_logs = sa.Table(
    "trial_logs",
    metadata,
    sa.Column("study_id", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("log", sa.Text, nullable=False),
    _trial(),
)

latency_tables = sa.Table(
    "latency_tables",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("device", sa.String(255), nullable=False),
    sa.Column("engine", sa.String(128), nullable=False),
    sa.Column("threads", sa.Integer, nullable=False),
    sa.Column("batch", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("provenance", sa.JSON, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Index("ix_latency_tables_device", "device", "engine", "created_at"),
    sqlite_autoincrement=True,
)

preparations = sa.Table(
    "preparations",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("progress", sa.Double, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("settings", sa.JSON, nullable=False, server_default="{}"),
)

# What preparations measure of themselves. Which studies use one is kept in their settings.
preparation_measurements = sa.Table(
    "preparation_measurements",
    metadata,
    sa.Column("key", sa.String(64), sa.ForeignKey("preparations.key", ondelete="CASCADE"), primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("measured_at", sa.Double, nullable=False),
    sqlite_with_rowid=False,
)
