"""Each body is sealed under a key of its own, by number. Bodies from before stay as they are until forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Blob, Integer, Text

revision = "store_0002"
down_revision = "store_0001"


def upgrade() -> None:
    op.rename_table("store_body", "store_body_plain")
    op.create_table(
        "store_body",
        sa.Column("number", Integer, primary_key=True, autoincrement=op.get_bind().dialect.name == "sqlite"),
        sa.Column("object_id", Text, nullable=False),
        sa.Column("version", Integer, nullable=False),
        sa.Column("sealed", Integer, nullable=False),
        sa.Column("body", Blob, nullable=False),
        sqlite_strict=True,
        sqlite_autoincrement=True,  # a number is never given out twice: its key may be about to be destroyed
    )
    op.create_index("store_body_key", "store_body", ["object_id", "version"], unique=True)
    op.execute(
        "INSERT INTO store_body (number, object_id, version, sealed, body)"
        " SELECT row_number() OVER (ORDER BY object_id, version), object_id, version, 0, body FROM store_body_plain"
    )
    op.drop_table("store_body_plain")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE store_body_number")
        op.execute("SELECT setval('store_body_number', (SELECT coalesce(max(number), 0) + 1 FROM store_body))")


def downgrade() -> None:
    """Only while nothing is sealed: an older version could not read it."""
    sealed = op.get_bind().execute(sa.text("SELECT count(*) FROM store_body WHERE sealed = 1")).scalar()
    assert not sealed, "an older version cannot read sealed bodies: restore the backup from before"
    op.drop_index("store_body_key", "store_body")
    op.rename_table("store_body", "store_body_sealed")
    op.create_table(
        "store_body",
        sa.Column("object_id", Text, primary_key=True),
        sa.Column("version", Integer, primary_key=True, autoincrement=False),
        sa.Column("body", Blob, nullable=False),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO store_body SELECT object_id, version, body FROM store_body_sealed")
    op.drop_table("store_body_sealed")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SEQUENCE store_body_number")
