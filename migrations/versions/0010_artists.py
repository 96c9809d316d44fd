"""All artists of a track that has several; it stays filed under the first."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next scan of a file that changed fills it."""
    op.add_column("track", sa.Column("artists", sa.Text, nullable=True))


def downgrade() -> None:
    """Drop it; each track has one artist again."""
    op.drop_column("track", "artists")
