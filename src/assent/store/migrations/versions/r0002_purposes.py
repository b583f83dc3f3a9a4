"""The bits of purposes that shops declare.

Sealed histories are not touched: each seal names the schema version that it was written under.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table of bits."""
    op.create_table(
        "purposes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bit", SMALL, nullable=False),
        sa.Column("first_seen", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purposes"),
        sa.UniqueConstraint("bit", name="uq_purposes_bit"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
