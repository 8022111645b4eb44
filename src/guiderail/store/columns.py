"""Read a column as what it was declared to be."""

from __future__ import annotations

from guiderail.core.errors import IntegrityError


def column_bytes(value: object) -> bytes:
    """A column of bytes, whatever was put into it: SQLite lets anything stand in any column.

    Text counts as its UTF-8 bytes. Raises IntegrityError for anything else.
    """
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise IntegrityError(
        f"A database column of bytes holds {value!r}.",
        advice="Restore the database from a backup and find out who changed it.",
        code="store/wrong-type",
    )
