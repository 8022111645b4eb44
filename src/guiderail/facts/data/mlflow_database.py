"""Data sets of one run in MLflow's SQLite database, read without MLflow and without a lock."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from guiderail.core.errors import InputError, Place
from guiderail.facts.data.lineage_files import RecordedInput, of_mlflow

_INPUTS = """
SELECT i.input_uuid, d.name, d.digest, d.dataset_source, d.dataset_schema, d.dataset_profile
FROM inputs AS i JOIN datasets AS d ON d.dataset_uuid = i.source_id
WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id = ?
ORDER BY d.name, i.input_uuid
"""


def read_database(path: Path, run: str | None) -> tuple[RecordedInput, ...]:
    """The data sets of the named run, or of the only one. Raises InputError."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            wanted = _run(database, run, path)
            found = []
            for key, name, digest, source, schema, profile in database.execute(_INPUTS, (wanted,)):
                tags = dict(
                    database.execute("SELECT name, value FROM input_tags WHERE input_uuid = ?",
                                     (key,))
                )  # fmt: skip
                dataset = {
                    "name": name,
                    "digest": digest,
                    "source": source,
                    "schema": schema,
                    "profile": profile,
                }
                one = of_mlflow(wanted, dataset, tags)
                if one is not None:
                    found.append(one)
            return tuple(found)
    except sqlite3.Error as error:
        raise _refused(path, f"The database is no readable MLflow database: {error}.") from None
    except ValueError as error:
        raise _refused(path, f"The database holds a damaged data set: {error}.") from None


def _run(database: sqlite3.Connection, run: str | None, path: Path) -> str:
    rows = database.execute(
        "SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active' AND (? IS NULL OR run_uuid = ?)"
        " LIMIT 2",
        (run, run),
    ).fetchall()
    if len(rows) == 1:
        return str(rows[0][0])
    what = "several runs" if rows else "no run" if run is None else f"no run {run}"
    raise _refused(path, f"The database holds {what}.", "Name the run that trained this release.")


def _refused(path: Path, what: str, advice: str = "Name another record.") -> InputError:
    return InputError(what, advice=advice, code="data/lineage-record", place=Place(str(path)))
