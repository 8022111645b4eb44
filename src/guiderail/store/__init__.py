"""Transactions, tables, migrations and blobs: the only place with database drivers."""
