"""Numeric kernels: tables in, numbers out. Knows no product type; I/O only to read a table."""
