"""What a render shows: whose product, words or none, how like its photo it is, and why somebody has to look at it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("render") as render:
        render.add_column(sa.Column("origin", sa.String(), nullable=False, server_default="generated"))
        render.add_column(sa.Column("has_text", sa.Boolean(), nullable=True))
        render.add_column(sa.Column("fidelity", sa.Float(), nullable=True))
        render.add_column(sa.Column("doubt", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("picture") as picture:
        picture.add_column(sa.Column("doubt", sa.String(), nullable=False, server_default=""))
