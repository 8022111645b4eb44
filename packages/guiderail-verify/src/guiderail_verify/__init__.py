"""Offline checks of Guiderail's permits, proofs and decisions.

Standard library and `cryptography` only. Nothing here reads a clock, a network or a database.
"""
