"""Frozen values that every layer shares. Standard library only; no clock, no randomness, no I/O."""
