"""Which tracks could not be decoded wholly, and how much of them was heard."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what was heard before, nothing is known to be a part."""
    op.add_column("track", sa.Column("heard_in_part", sa.Text, nullable=True))


def downgrade() -> None:
    """Drop it; the tracks stay as they were heard."""
    op.drop_column("track", "heard_in_part")
