"""A small CSV file with lines from all over a large one, so that a look at it takes bounded memory.

Blocks of bytes are read at even distances; the incomplete first and last line of a block are left
out. A block that begins inside a quoted cell with line breaks may yield lines of another shape:
only lines with as many cells as the header are kept, and the share that was not is stated.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.csv_encoding import CODECS, Encoding, first_fault, wrong_encoding
from guiderail.core.csv_layout import csv_layout
from guiderail.core.errors import InputError, Place

BLOCKS, BLOCK_BYTES = 64, 128 * 1024
_LEAST_KEPT = 0.5


@dataclass(frozen=True, slots=True)
class CsvSample:
    """rows: data rows that were kept. looked_at: share of the file's bytes that was read."""

    rows: int
    looked_at: float


def write_csv_sample(
    path: Path,
    to: Path,
    *,
    said: Encoding | None = None,
    blocks: int = BLOCKS,
    size: int = BLOCK_BYTES,
) -> CsvSample:
    """Write the header and whole lines of `blocks` blocks of `path` to `to`, in UTF-8.

    said: the encoding that the owner names, one whose line ends are single bytes.
    Raises InputError for a header that cannot be read, a block in another encoding, and a file
    whose lines mostly have another number of cells than its header.
    """
    layout = csv_layout(path, said)
    kept, seen, read = 0, 0, 0
    with to.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=layout.delimiter)
        writer.writerow(layout.names)
        for text, count in _blocks(path, layout.encoding, blocks, size):
            read += count
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter):
                seen += 1
                if len(cells) == len(layout.names):
                    writer.writerow(cells)
                    kept += 1
    if seen and kept < _LEAST_KEPT * seen:
        raise InputError(
            f"Of {seen} lines that were looked at, {seen - kept} have another number of cells than "
            "the header.",
            advice="Quote cells that hold the delimiter, or complete the lines.",
            code="data/ragged-row",
            place=Place(str(path)),
        )
    return CsvSample(kept, min(1.0, read / path.stat().st_size))


def _blocks(path: Path, encoding: str, blocks: int, size: int) -> Iterator[tuple[str, int]]:
    """Whole lines of each block, as text, and how many bytes were read."""
    total = path.stat().st_size
    step = max(size, total // blocks)
    with path.open("rb") as stream:
        for start in range(0, total, step):
            stream.seek(start)
            data = stream.read(size)
            count = len(data)
            if start + count < total:
                data = data[: data.rfind(b"\n") + 1]
            data = data[data.find(b"\n") + 1 :]  # the header in the first block
            try:
                yield data.decode(CODECS[encoding]), count
            except UnicodeDecodeError:
                raise first_fault(path, encoding) or wrong_encoding(path, encoding) from None
