"""Steps of a job that other workers may take: what they must know, and until when a step is theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; no step is shared yet."""
    op.add_column("job", sa.Column("sharing", sa.JSON))
    op.add_column("job_item", sa.Column("lease_expires_at", sa.Double))


def downgrade() -> None:
    """Drop the columns; what was shared is done by one worker again."""
    op.drop_column("job_item", "lease_expires_at")
    op.drop_column("job", "sharing")
