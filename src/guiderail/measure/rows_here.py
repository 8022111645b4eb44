"""Rows of a warehouse brought here in batches, for measures that no aggregation there can answer.

A content fingerprint hashes every row with BLAKE2b, which no warehouse offers; a paired DeLong
interval ranks every score; checks of column values are Python. These rows, of the needed columns
only, are written batch by batch to a temporary Parquet file, and the same kernels read them as any
other file, so that the numbers are the same. Memory stays at one batch; the folder is that of
`tempfile` (TMPDIR) and goes when the table is closed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from guiderail.core.csv_encoding import Encoding
from guiderail.measure.table import Table, open_table
from guiderail.measure.warehouse import open_source

if TYPE_CHECKING:
    from guiderail.measure.warehouse_table import WarehouseTable

BATCH_ROWS = 20_000


@contextmanager
def rows_here(path: Path, encoding: Encoding | None = None) -> Iterator[Table]:
    """Every row and column of a file or of the table that a source file names.

    Raises InputError as `open_source` does.
    """
    with open_source(path, encoding) as source, brought(source) as table:
        yield table


@contextmanager
def brought(
    source: Table | WarehouseTable, names: Sequence[str] | None = None, every: int = 1
) -> Iterator[Table]:
    """The table itself where it is a file; else a copy of the named columns, or of all.

    every: only each so manyth row, where the rows stay in a warehouse. Raises InputError for an
    unknown column or a failed query.
    """
    if isinstance(source, Table):
        yield source
        return
    import pyarrow.parquet as parquet

    wanted = list(dict.fromkeys(source.names if names is None else names))
    with tempfile.TemporaryDirectory(prefix="guiderail-rows-") as folder:
        copy = Path(folder) / "rows.parquet"
        with parquet.ParquetWriter(copy, source.arrow_schema(wanted), compression="zstd") as writer:
            for batch in source.batches(wanted, BATCH_ROWS, every):
                writer.write_batch(batch)
        with open_table(copy) as table:
            table.path = Path(source.place)  # what errors name
            yield table
