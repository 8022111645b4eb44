"""Undo the compression that joblib and friends put around a pickle, with a cap on the size."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Protocol


class TooLargeError(ValueError):
    """The content is larger than the cap allows."""


class TrailingBytesError(ValueError):
    """Something follows the compressed stream."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def compression_of(data: bytes) -> str | None:
    """`zlib`, `gzip`, `bz2`, `xz`, `lzma` or `lz4` by magic bytes; None for anything else."""
    magics = (
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bz2"),
        (b"\xfd7zXZ", "xz"),
        (b"\x5d\x00", "lzma"),
        (b"\x04\x22\x4d\x18", "lz4"),
    )
    for magic, name in magics:
        if data.startswith(magic):
            return name
    if len(data) >= 2 and data[0] == 0x78 and int.from_bytes(data[:2], "big") % 31 == 0:
        return "zlib"
    return None


def decompress(data: bytes, compression: str, *, largest: int) -> bytes:
    """The content of one compressed stream.

    Raises TooLargeError, TrailingBytesError, or ValueError for a broken stream or `lz4`, which
    cannot be read without an extra library and therefore cannot be checked.
    """
    if compression == "lz4":
        raise ValueError("lz4 compression cannot be checked; save without it")
    try:
        if compression in ("zlib", "gzip"):
            return _inflate(data, 15 if compression == "zlib" else 31, largest)
        made: _Decompressor = (
            bz2.BZ2Decompressor()
            if compression == "bz2"
            else lzma.LZMADecompressor(memlimit=256 * 1024**2)
        )
        content = made.decompress(data, largest + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as problem:
        raise ValueError(f"the {compression} stream is broken: {problem}") from problem
    return _checked(content, made.eof, made.unused_data, largest)


def _inflate(data: bytes, window: int, largest: int) -> bytes:
    made = zlib.decompressobj(window)
    content = made.decompress(data, largest + 1)
    return _checked(content, made.eof, made.unused_data, largest)


def _checked(content: bytes, ended: bool, unused: bytes, largest: int) -> bytes:
    if len(content) > largest:
        raise TooLargeError(f"it expands to more than {largest} bytes")
    if not ended:
        raise ValueError("the compressed stream ends too early")
    if unused:
        raise TrailingBytesError("bytes follow the compressed stream")
    return content
