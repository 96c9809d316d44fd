"""Which part of a file a track is: an album in one file has several, each with its place in it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both ends, in seconds, and let a file hold several tracks; until now each file was one."""
    with op.batch_alter_table("audio_file") as table:
        table.add_column(sa.Column("start_s", sa.Double, nullable=False, server_default="0"))
        table.add_column(sa.Column("end_s", sa.Double, nullable=True))
        table.drop_constraint("uq_audio_file_path", type_="unique")
        table.create_unique_constraint("uq_audio_file_path_start_s", ["path", "start_s"])


def downgrade() -> None:
    """Forget the files of albums, which the next scan reads again, and let each file be one track."""
    op.execute("DELETE FROM audio_file WHERE start_s > 0 OR end_s IS NOT NULL")
    with op.batch_alter_table("audio_file") as table:
        table.drop_constraint("uq_audio_file_path_start_s", type_="unique")
        table.create_unique_constraint("uq_audio_file_path", ["path"])
        table.drop_column("end_s")
        table.drop_column("start_s")
