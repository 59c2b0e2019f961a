"""Column types that mean the same on SQLite (STRICT tables) and PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Double, LargeBinary, REAL, Text, TypeDecorator
from sqlalchemy import Integer as _Integer

from port2port.core.clock import _EPOCH, require_utc

Integer = BigInteger().with_variant(_Integer(), "sqlite")
Real = Double().with_variant(REAL(), "sqlite")
Blob = LargeBinary()

__all__ = ["Blob", "Integer", "Moment", "Real", "Text"]


class Moment(TypeDecorator[datetime]):
    """A UTC-aware datetime, stored as whole microseconds since 1970: sorts, compares, has no zone to lose."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(_Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        delta = require_utc(value) - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)
