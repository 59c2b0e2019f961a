"""Backup and leaving: one archive of a node while it runs, a restore onto any machine, everything in open formats.

The store on PostgreSQL is not covered: its own tools back it up, and each command here says so.
"""
