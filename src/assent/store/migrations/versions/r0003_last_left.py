"""The version at which somebody last left a sum gets a column of its own, in place of a JSON text that held it."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column, fill it, and drop the text."""
    op.add_column("sum_heads", sa.Column("last_left_version", BIG, nullable=False, server_default="0"))
    heads = sa.table("sum_heads", sa.column("model"), sa.column("settings"), sa.column("last_left_version"))
    connection = op.get_bind()
    for model, settings in connection.execute(sa.select(heads.c.model, heads.c.settings)).all():
        left = int(json.loads(settings).get("left", 0))
        connection.execute(heads.update().where(heads.c.model == model).values(last_left_version=left))
    op.drop_column("sum_heads", "settings")
