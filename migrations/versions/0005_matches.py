"""Imported playlists: their rows as they were, what each was matched with, and what people decided."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of imported rows and of decisions."""
    op.create_table(
        "imported_row",
        sa.Column("playlist_id", sa.Integer, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("track_id", sa.Integer),
        sa.Column("strength", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("alternatives", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("playlist_id", "row", name="pk_imported_row"),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlist.id"], "fk_imported_row_playlist_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], "fk_imported_row_track_id", ondelete="SET NULL"),
    )
    op.create_index("ix_imported_row_track_id", "imported_row", ["track_id"])
    op.create_table(
        "match_decision",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("is_right", sa.Boolean, nullable=False),
        sa.Column("decided_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", "track_id", name="pk_match_decision"),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], "fk_match_decision_track_id", ondelete="CASCADE"),
    )
    op.create_index("ix_match_decision_track_id", "match_decision", ["track_id"])


def downgrade() -> None:
    """Drop them; the playlists keep the tracks that were matched."""
    op.drop_table("match_decision")
    op.drop_table("imported_row")
