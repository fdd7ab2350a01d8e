"""Approvals and rejections."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("render_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("brief", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_review_key", "review", ["key"], unique=False)
    with op.batch_alter_table("picture") as picture:
        picture.add_column(sa.Column("take", sa.Integer(), nullable=False, server_default="1"))
        picture.add_column(sa.Column("approved_key", sa.String(), nullable=True))
        picture.add_column(sa.Column("approved_digest", sa.String(), nullable=True))
        picture.add_column(sa.Column("rejected_key", sa.String(), nullable=True))
        picture.add_column(sa.Column("rejection", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE picture SET take = "
        "COALESCE((SELECT max(take.number) FROM take WHERE take.key = picture.key), 1)"
    )
