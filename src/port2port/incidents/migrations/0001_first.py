"""Incidents, own and shared with us, their timelines, and the last reference number of each year."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from port2port.store.types import Integer, Moment, Text

revision = "incidents_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "incidents_incident",
        sa.Column("id", Text, primary_key=True),
        sa.Column("origin", Text, nullable=False),
        sa.Column("status", Text, nullable=False),
        sa.Column("reported_by", Text, nullable=False),
        sa.Column("assigned_role", Text, nullable=False),
        sa.Column("assigned_account", Text, nullable=False),
        sa.Column("source_alert_id", Text, nullable=False),
        sa.Column("draft_id", Text, nullable=False),
        sa.Column("alert_id", Text, nullable=False),
        sa.Column("retain_until", Moment),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("data", Text, nullable=False),
        sqlite_strict=True,
    )
    for column in ("changed_at", "source_alert_id", "alert_id", "draft_id"):
        op.create_index(f"incidents_incident_{column}", "incidents_incident", [column])
    op.create_table(
        "incidents_entry",
        sa.Column("incident_id", Text, primary_key=True),
        sa.Column("number", Integer, primary_key=True, autoincrement=False),
        sa.Column("data", Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "incidents_number",
        sa.Column("year", Integer, primary_key=True, autoincrement=False),
        sa.Column("last", Integer, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("incidents_incident", "incidents_entry", "incidents_number"):
        op.drop_table(table)
