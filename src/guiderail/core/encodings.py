"""How a text file may be written: the encodings that a manifest and a command line can name."""

from __future__ import annotations

from typing import Literal, get_args

Encoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252"]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
"""`utf-16` is for files with a byte order mark; without one the order of the bytes must be said."""
