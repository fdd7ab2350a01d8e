"""What a render looks like, and what follows when it does not pass a gate."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("render") as render:
        render.add_column(sa.Column("look", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("picture") as picture:
        picture.add_column(sa.Column("gate", sa.String(), nullable=True))
    with op.batch_alter_table("take") as take:
        take.add_column(sa.Column("gate", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("review") as review:
        review.add_column(sa.Column("gate", sa.String(), nullable=False, server_default=""))
        review.add_column(sa.Column("take", sa.Integer(), nullable=False, server_default="0"))
        review.add_column(sa.Column("planned", sa.JSON(), nullable=True))
