"""Pictures are found by the beginning of their render key: a first plan writes half as much."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_picture_render_key", table_name="picture")
    op.create_index("ix_picture_render", "picture", [sa.text("substr(render_key, 1, 8)")], unique=False)
