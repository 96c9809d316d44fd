"""Feedback: what the user said of a track and a playlist, beside what folders say."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "feedback",
        sa.Column("playlist_id", sa.Integer, nullable=False),
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("member_source", sa.Text),
        sa.Column("member_position", sa.Integer),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("playlist_id", "track_id", name="pk_feedback"),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlist.id"], "fk_feedback_playlist_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], "fk_feedback_track_id", ondelete="CASCADE"),
    )
    op.create_index("ix_feedback_track_id", "feedback", ["track_id"])


def downgrade() -> None:
    """Drop the table; what the feedback made of the playlists stays as it is."""
    op.drop_table("feedback")
