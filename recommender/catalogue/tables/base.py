"""What every table of the database shares: names of constraints, and text that every database takes.

Times are seconds since 1970 (UTC); paths are bytes beside a text for display.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Dialect,
    ForeignKey,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase


class PlainText(TypeDecorator[str]):
    """Text that every database takes: file names, tags and error messages hold NUL and lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What is stored and compared."""
        if value is None:
            return None
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can speak of it on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: PlainText, dict[str, Any]: JSON}  # noqa: RUF012 (read by SQLAlchemy)


def owned_by(owner: Any, *, keep: bool = False) -> Any:
    """A foreign key to a column: the row goes when its owner goes, or forgets it (``keep``)."""
    return ForeignKey(owner, ondelete="SET NULL" if keep else "CASCADE")
