"""Tracks, files, playlists, embeddings and bundles."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the catalogue's tables."""
    _tracks()
    _playlists()
    _models()


def downgrade() -> None:
    """Drop the catalogue, with everything in it."""
    for table in (
        "library_root",
        "bundle",
        "embedding",
        "membership",
        "playlist",
        "playlist_group",
        "identity",
        "audio_file",
        "track",
        "artist",
    ):
        op.drop_table(table)


def _owned_by(table: str, owner: str) -> sa.ForeignKeyConstraint:
    """A row that goes when its owner goes."""
    column = f"{owner.removeprefix('playlist_')}_id"
    return sa.ForeignKeyConstraint([column], [f"{owner}.id"], f"fk_{table}_{column}", ondelete="CASCADE")


def _tracks() -> None:
    op.create_table(
        "artist",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artist"),
        sa.UniqueConstraint("key", name="uq_artist_key"),
    )
    op.create_table(
        "track",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("artist_id", sa.Integer, nullable=False),
        sa.Column("album", sa.Text, nullable=False),
        sa.Column("duration_s", sa.Double),
        sa.Column("content_sha256", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("trainable", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_track"),
        sa.ForeignKeyConstraint(["artist_id"], ["artist.id"], "fk_track_artist_id"),
        sa.UniqueConstraint("content_sha256", name="uq_track_content_sha256"),
    )
    op.create_index("ix_track_artist_id", "track", ["artist_id"])
    op.create_table(
        "audio_file",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("track_id", sa.Integer),
        sa.Column("path", sa.LargeBinary, nullable=False),
        sa.Column("path_text", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("content_sha256", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audio_file"),
        _owned_by("audio_file", "track"),
        sa.UniqueConstraint("path", name="uq_audio_file_path"),
    )
    op.create_index("ix_audio_file_track_id", "audio_file", ["track_id"])
    op.create_table(
        "identity",
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("scheme", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("track_id", "scheme", "value", name="pk_identity"),
        _owned_by("identity", "track"),
    )
    op.create_index("ix_identity_scheme_value", "identity", ["scheme", "value"])


def _playlists() -> None:
    op.create_table(
        "playlist_group",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_playlist_group"),
        sa.UniqueConstraint("name", name="uq_playlist_group_name"),
    )
    op.create_table(
        "playlist",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("group_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("folder", sa.LargeBinary),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_playlist"),
        _owned_by("playlist", "playlist_group"),
        sa.UniqueConstraint("group_id", "name", name="uq_playlist_group_id_name"),
    )
    op.create_table(
        "membership",
        sa.Column("playlist_id", sa.Integer, nullable=False),
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("playlist_id", "track_id", name="pk_membership"),
        _owned_by("membership", "playlist"),
        _owned_by("membership", "track"),
    )
    op.create_index("ix_membership_track_id", "membership", ["track_id"])


def _models() -> None:
    op.create_table(
        "embedding",
        sa.Column("track_id", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("dim", sa.Integer, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("n_patches", sa.Integer, nullable=False),
        sa.Column("patches", sa.LargeBinary, nullable=False),
        sa.Column("start_s", sa.LargeBinary, nullable=False),
        sa.Column("patch_s", sa.Double, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("track_id", "fingerprint", name="pk_embedding"),
        _owned_by("embedding", "track"),
    )
    op.create_index("ix_embedding_fingerprint", "embedding", ["fingerprint"])
    op.create_table(
        "bundle",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("directory", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("promoted_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_bundle"),
    )
    champion = sa.text("state = 'champion'")
    op.create_index(
        "uq_bundle_champion",
        "bundle",
        ["state"],
        unique=True,
        sqlite_where=champion,
        postgresql_where=champion,
    )
    op.create_table(
        "library_root",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("path", sa.LargeBinary, nullable=False),
        sa.Column("path_text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_library_root"),
        sa.UniqueConstraint("path", name="uq_library_root_path"),
    )
