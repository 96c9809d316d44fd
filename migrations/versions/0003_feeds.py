"""Feeds: their items, and what a model says of a track."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of feeds and of scores."""
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("min_probability", sa.Double, nullable=False),
        sa.Column("cursor", sa.JSON, nullable=False),
        sa.Column("error_code", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("read_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sa.UniqueConstraint("kind", "reference", "group_name", name="uq_feed_kind_reference_group_name"),
    )
    op.create_table(
        "feed_item",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("feed_id", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("row", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("sentence", sa.Text),
        sa.Column("track_id", sa.Integer),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.Double),
        sa.Column("next_try_at", sa.Double),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed_item"),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], "fk_feed_item_feed_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], "fk_feed_item_track_id", ondelete="SET NULL"),
        sa.UniqueConstraint("feed_id", "key", name="uq_feed_item_feed_id_key"),
    )
    op.create_index("ix_feed_item_key", "feed_item", ["key"])
    op.create_index("ix_feed_item_track_id", "feed_item", ["track_id"])
    op.create_index("ix_feed_item_feed_id_state_id", "feed_item", ["feed_id", "state", "id"])
    op.create_table(
        "track_score",
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("bundle_id", sa.Text, nullable=False),
        sa.Column("results", sa.JSON, nullable=False),
        sa.Column("scored_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("track_id", "group_name", name="pk_track_score"),
        sa.ForeignKeyConstraint(["track_id"], ["track.id"], "fk_track_score_track_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Drop feeds and scores; the tracks that were heard for them stay."""
    for table in ("track_score", "feed_item", "feed"):
        op.drop_table(table)
