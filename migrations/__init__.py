"""Alembic revisions of the database; `whichlist migrate` applies them."""
