"""Runs the revisions on the connection that ``recommender.catalogue.database`` hands over; no ini file."""

from alembic import context
from sqlalchemy import text

from recommender.catalogue.tables.every import METADATA

ADVISORY_LOCK = 7_301_502  # any number that nobody else uses: two programs must not migrate at once

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
context.configure(
    connection=connection,
    target_metadata=METADATA,
    # SQLite cannot alter most things in place: Alembic copies the table instead.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
