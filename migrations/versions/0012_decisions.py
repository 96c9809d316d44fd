"""What a person decided of an item of a feed: which playlist it went into, or that it fits none."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing was decided yet."""
    op.add_column("feed_item", sa.Column("decision", sa.JSON, nullable=True))


def downgrade() -> None:
    """Drop it; what went into playlists stays there."""
    op.drop_column("feed_item", "decision")
