"""What was sent and what it was made of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("attempt") as attempt:
        attempt.add_column(sa.Column("recipe", sa.JSON(), nullable=False, server_default="{}"))
        attempt.add_column(sa.Column("shrink", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_attempt_submitted_at", "attempt", ["submitted_at"], unique=False)
    op.create_table(
        "material",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("run", "name"),
    )
    op.create_index("ix_material_digest", "material", ["digest"], unique=False)
