"""Alembic's environment: runs on the connection that `upgrade` hands over, in the transaction that it is in."""

from __future__ import annotations

from alembic import context

from search.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    compare_type=True,
)
context.run_migrations()
