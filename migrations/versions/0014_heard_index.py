"""What an encoder has heard, and when, answered by an index alone."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put a wider index in the place of the one by encoder; a large library takes seconds."""
    op.create_index(
        "ix_embedding_fingerprint_track_id_created_at", "embedding", ["fingerprint", "track_id", "created_at"]
    )
    op.drop_index("ix_embedding_fingerprint", "embedding")


def downgrade() -> None:
    """Bring the narrow index back."""
    op.create_index("ix_embedding_fingerprint", "embedding", ["fingerprint"])
    op.drop_index("ix_embedding_fingerprint_track_id_created_at", "embedding")
