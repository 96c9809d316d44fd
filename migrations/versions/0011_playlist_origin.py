"""Where an imported playlist came from, so that it can be read there again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; a playlist that was imported before follows its source once it is imported again."""
    op.create_table(
        "playlist_origin",
        sa.Column("playlist_id", sa.Integer, nullable=False),
        sa.Column("reference", sa.LargeBinary, nullable=False),
        sa.Column("is_file", sa.Boolean, nullable=False),
        sa.Column("which", sa.Text, nullable=True),
        sa.Column("asked_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"],
            ["playlist.id"],
            name="fk_playlist_origin_playlist_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("playlist_id", name="pk_playlist_origin"),
    )


def downgrade() -> None:
    """Drop it; playlists stay as they are."""
    op.drop_table("playlist_origin")
