"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")

#: Sealed bytes look random, so PostgreSQL is spared the attempt to compress them.
SEALED = ("records", "histories", "contributions", "decisions")


def upgrade() -> None:
    """Make every table."""
    _people()
    _consent()
    _held()
    _sums()
    _house()
    if op.get_context().dialect.name == "postgresql":
        for table in SEALED:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN sealed SET STORAGE EXTERNAL")


def _people() -> None:
    """Make what says who is known, under which digests, and who was erased."""
    op.create_table(
        "people",
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_people"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "person_keys",
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_person_keys_person"),
        sa.PrimaryKeyConstraint("person", name="pk_person_keys"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "identifiers",
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_identifiers_person"),
        sa.PrimaryKeyConstraint("blind", "kind", name="pk_identifiers"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_identifiers_person", "identifiers", ["person"])
    op.create_table(
        "suppressions",
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("blind", "kind", name="pk_suppressions"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("requested_ms", BIG, nullable=False),
        sa.Column("completed_ms", BIG, nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("erasure_id", name="pk_erasures"),
        sqlite_strict=True,
    )
    op.create_index("ix_erasures_person", "erasures", ["person"])


def _consent() -> None:
    """Make the ledger."""
    op.create_table(
        "notices",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_notices"),
        sqlite_strict=True,
    )
    op.create_table(
        "consents",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("expires_ms", BIG, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("notice_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_consents_person"),
        sa.PrimaryKeyConstraint("seq", name="pk_consents"),
        sa.UniqueConstraint("entry_id", name="uq_consents_entry_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_consents_person", "consents", ["person", "seq"])
    op.create_table(
        "consent_states",
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("expires_ms", BIG, nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("notice_hash", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_consent_states_person"),
        sa.PrimaryKeyConstraint("person", "purpose", name="pk_consent_states"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_consent_states_purpose", "consent_states", ["purpose", "action", "person"])


def _held() -> None:
    """Make what is held about people."""
    op.create_table(
        "records",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("purposes", SMALL, nullable=False),
        sa.Column("trail", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_records_person"),
        sa.PrimaryKeyConstraint("seq", name="pk_records"),
        sqlite_strict=True,
    )
    op.create_index("ix_records_person", "records", ["person", "seq"])
    op.create_table(
        "histories",
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("through_seq", BIG, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_histories_person"),
        sa.PrimaryKeyConstraint("person", name="pk_histories"),
        sqlite_strict=True,
    )
    op.create_table(
        "seen_blocks",
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.Column("digests_count", BIG, nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", name="pk_seen_blocks"),
        sqlite_strict=True,
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=True),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_decisions_person"),
        sa.PrimaryKeyConstraint("decision_id", name="pk_decisions"),
        sqlite_strict=True,
    )
    op.create_index("ix_decisions_person", "decisions", ["person"])


def _sums() -> None:
    """Make the catalog and the sums over people."""
    op.create_table(
        "items",
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("listed", SMALL, nullable=False),
        sa.Column("available", SMALL, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("first_seen_ms", BIG, nullable=False),
        sa.Column("last_seen_ms", BIG, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_items"),
        sa.UniqueConstraint("id", name="uq_items_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_items_changed", "items", ["changed"])
    op.create_table(
        "sum_heads",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("columns", BIG, nullable=False),
        sa.Column("people", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("model", name="pk_sum_heads"),
        sqlite_strict=True,
    )
    op.create_table(
        "sum_rows",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("item", BIG, autoincrement=False, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "item", name="pk_sum_rows"),
        sqlite_strict=True,
    )
    op.create_index("ix_sum_rows_version", "sum_rows", ["model", "version"])
    op.create_table(
        "contributions",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.person"], name="fk_contributions_person"),
        sa.PrimaryKeyConstraint("model", "person", name="pk_contributions"),
        sqlite_strict=True,
    )
    op.create_index("ix_contributions_person", "contributions", ["person"])


def _house() -> None:
    """Make what the store knows about itself."""
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sequences",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sequences"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_leaves",
        sa.Column("idx", BIG, autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=True),
        sa.Column("detail", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("idx", name="pk_log_leaves"),
        sqlite_strict=True,
    )
    op.create_index("ix_log_leaves_person", "log_leaves", ["person"])
    op.create_table(
        "log_checkpoints",
        sa.Column("size", BIG, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
        sqlite_strict=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_api_keys"),
        sqlite_strict=True,
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name="pk_imports"),
        sqlite_strict=True,
    )
