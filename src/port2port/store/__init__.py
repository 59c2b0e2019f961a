"""A node's memory: transaction, journal, cursors, migrations. Memory, SQLite and PostgreSQL."""

from port2port.store.api import Reading, Store, Transaction

__all__ = ["Reading", "Store", "Transaction"]
