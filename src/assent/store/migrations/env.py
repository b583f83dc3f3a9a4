"""Runs the revisions on the connection and in the transaction that the store hands in."""

from alembic import context

from assent.store.migrate import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
