"""Decisions, cases and reports as words, terminal lines and JSON. Pure: no I/O, no clock."""
