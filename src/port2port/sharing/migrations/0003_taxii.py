"""Program accounts of TAXII, collections with their objects, statuses of what was handed in, and polled servers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Moment, Text

revision = "sharing_0003"
down_revision = "sharing_0002"

TABLES = ("account", "collection", "pack", "object", "waiting", "merge", "status", "source")


def upgrade() -> None:
    op.create_table(
        "sharing_taxii_account",
        sa.Column("name", Text, primary_key=True),
        sa.Column("hash", Text, nullable=False),
        sa.Column("may_read", Integer, nullable=False),
        sa.Column("may_write", Integer, nullable=False),
        sa.Column("purpose", Text, nullable=False),
        sa.Column("max_tlp", Text, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_taxii_collection",
        sa.Column("number", Integer, primary_key=True),
        sa.Column("kind", Text, nullable=False),
        sa.Column("owner", Text, nullable=False),
        sa.Column("last_ms", Integer, nullable=False),
        sa.Column("twins", Integer, nullable=False),
        sa.UniqueConstraint("kind", "owner"),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_taxii_pack",
        sa.Column("number", Integer, primary_key=True, autoincrement=False),
        sa.Column("collection", Integer, nullable=False),
        sa.Column("body_id", Text, nullable=False),
        sa.Column("body_version", Integer, nullable=False),
        sa.Column("retain_until", Moment),
        sqlite_strict=True,
    )
    op.create_index("sharing_taxii_pack_body", "sharing_taxii_pack", ["body_id", "body_version"])
    op.create_index("sharing_taxii_pack_retain", "sharing_taxii_pack", ["retain_until"])
    op.create_table(
        "sharing_taxii_object",
        sa.Column("collection", Integer, primary_key=True, autoincrement=False),
        sa.Column("added_ms", Integer, primary_key=True, autoincrement=False),
        sa.Column("id", Text, nullable=False),
        sa.Column("key", Integer, nullable=False),
        sa.Column("type", Text, nullable=False),
        sa.Column("version_us", Integer, nullable=False),
        sa.Column("place", Integer, nullable=False),
        sa.Column("pack", Integer, nullable=False),
        sa.Column("start", Integer, nullable=False),
        sa.Column("length", Integer, nullable=False),
        sa.Column("source", Integer, nullable=False),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("sharing_taxii_object_key", "sharing_taxii_object", ["key"])
    op.create_index("sharing_taxii_object_pack", "sharing_taxii_object", ["pack"])
    op.create_table(
        "sharing_taxii_waiting",
        sa.Column("number", Integer, primary_key=True, autoincrement=False),
        sa.Column("body_id", Text, nullable=False),
        sa.Column("body_version", Integer, nullable=False),
        sa.Column("lane", Text, nullable=False),
        sa.Column("retain_until", Moment),
        sqlite_strict=True,
    )
    op.create_index("sharing_taxii_waiting_body", "sharing_taxii_waiting", ["body_id"])
    op.create_table(
        "sharing_taxii_merge",
        sa.Column("collection", Integer, primary_key=True, autoincrement=False),
        sa.Column("source", Integer, primary_key=True, autoincrement=False),
        sa.Column("through_ms", Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "sharing_taxii_status",
        sa.Column("number", Integer, primary_key=True),
        sa.Column("id", Text, nullable=False, unique=True),
        sa.Column("account", Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("document", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("sharing_taxii_status_account", "sharing_taxii_status", ["account", "number"])
    op.create_table(
        "sharing_taxii_source",
        sa.Column("url", Text, primary_key=True),
        sa.Column("added_after_us", Integer, nullable=False),
        sa.Column("exact", Integer, nullable=False),
        sa.Column("polled", Moment),
        sa.Column("problem", Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(f"sharing_taxii_{name}")
