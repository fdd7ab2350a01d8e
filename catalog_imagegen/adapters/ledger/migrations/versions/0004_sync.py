"""What a row was when its pictures were last all there, rows that left their source, and files that were dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("product") as product:
        product.add_column(sa.Column("digest", sa.String(), nullable=False, server_default=""))
        product.add_column(sa.Column("settled", sa.String(), nullable=False, server_default=""))
        product.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("picture") as picture:
        picture.add_column(sa.Column("agreed_key", sa.String(), nullable=True))
    op.execute("UPDATE picture SET agreed_key = render_key")
    standing = ["sku", "source", "digest", "settled", "position", "spu", "retired_at"]
    op.create_index("ix_product_standing", "product", standing, unique=False)
    op.create_table(
        "drop",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
