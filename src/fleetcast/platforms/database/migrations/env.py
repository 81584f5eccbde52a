"""Runs migrations on the connection that `migrate` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from fleetcast.platforms.database import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
