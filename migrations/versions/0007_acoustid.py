"""What AcoustID was asked, so that it is asked once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nothing was asked yet."""
    op.create_table(
        "acoustid_lookup",
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("acoustid", sa.Text, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("track_id", name="pk_acoustid_lookup"),
        sa.ForeignKeyConstraint(
            ["track_id"], ["track.id"], "fk_acoustid_lookup_track_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Drop it; the ids that were learnt stay."""
    op.drop_table("acoustid_lookup")
