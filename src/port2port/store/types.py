"""Column types that mean the same on SQLite (STRICT tables) and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import REAL, BigInteger, Dialect, Double, LargeBinary, Text, TypeDecorator
from sqlalchemy import Integer as _Integer
from sqlalchemy.types import TypeEngine

from port2port.core.clock import require_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Moment zero of a `Moment` column."""

Integer = BigInteger().with_variant(_Integer(), "sqlite")
Real: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
Blob = LargeBinary()

__all__ = ["EPOCH", "Blob", "Integer", "Moment", "Real", "Text", "from_us", "to_us"]


@lru_cache(4096)
def to_us(at: datetime) -> int:
    """Whole microseconds since 1970 of a UTC-aware moment."""
    delta = require_utc(at) - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_us(us: int) -> datetime:
    """The UTC-aware moment `us` microseconds after 1970."""
    return EPOCH + timedelta(microseconds=us)


class Moment(TypeDecorator[datetime]):
    """A UTC-aware datetime, stored as whole microseconds since 1970: sorts, compares, has no zone to lose."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(_Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_us(value)
