"""What a person said that the columns of a table hold, so that the next one of its kind is understood."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nobody said anything yet."""
    op.create_table(
        "column_choice",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("decided_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_column_choice"),
    )


def downgrade() -> None:
    """Drop it; the person is asked again."""
    op.drop_table("column_choice")
