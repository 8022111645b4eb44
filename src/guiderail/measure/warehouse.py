"""A source file: where a table of a warehouse is, in a few lines of YAML without any secret.

    engine: postgresql
    host: warehouse.example.org
    database: lending
    user: guiderail_reader
    password_from: WAREHOUSE_PASSWORD     # an environment variable, never the password itself
    table: reports.decisions

or, for Spark, `engine: pyspark` and `table`, or `parquet` with a path that Spark reads. Without
`password_from` the usual places count (`~/.pgpass`, `PGPASSWORD`, a trusted socket). PostgreSQL is
asked in one read-only transaction, so that all counts are of the same moment; Spark in the session
that is active, or in a local one, each question by itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError, Place
from guiderail.manifest.strict_yaml import Document, load_file
from guiderail.measure.table import Table, open_table

if TYPE_CHECKING:
    from guiderail.measure.warehouse_table import WarehouseTable

SUFFIXES = frozenset({".yaml", ".yml"})
_NAME = r"^[^.\s\x00-\x1f]([^.\x00-\x1f]*[^.\s\x00-\x1f])?$"
_TABLE = r"^[^.\s\x00-\x1f][^.\x00-\x1f]*(\.[^.\s\x00-\x1f][^.\x00-\x1f]*){0,2}$"
_INSTALL = "Install the extra: pip install 'guiderail[warehouse]'"


class _Source(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PostgresSource(_Source):
    """A table or view of PostgreSQL."""

    engine: Literal["postgresql"]
    table: Annotated[str, Field(pattern=_TABLE)]
    database: Annotated[str, Field(pattern=_NAME)]
    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    user: str | None = None
    # Only a variable that says so itself: a file from elsewhere must not send other secrets away.
    password_from: Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9]*_)*(PG)?PASSWORD$")] | None = None
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] | None = None


class SparkSource(_Source):
    """A table that Spark's catalogue knows, or Parquet files that Spark reads."""

    engine: Literal["pyspark"]
    table: Annotated[str, Field(pattern=_TABLE)] | None = None
    parquet: str | None = None


_SOURCES: TypeAdapter[PostgresSource | SparkSource] = TypeAdapter(
    Annotated[PostgresSource | SparkSource, Field(discriminator="engine")]
)


def open_source(path: Path, encoding: Encoding | None = None) -> Table | WarehouseTable:
    """Open a CSV or Parquet file, or the table that a source file (`.yaml`) names.

    encoding: of a CSV file, where its owner names one. Raises InputError; its words never hold a
    password.
    """
    if not is_source(path):
        return open_table(path, encoding)
    source = read_source(path)
    try:
        from guiderail.measure.warehouse_table import WarehouseTable, not_answered
    except ImportError as error:
        raise _missing(str(error.name), path) from None
    connect = _postgres if isinstance(source, PostgresSource) else _spark
    secret = _password(source, path)
    try:
        backend, table = connect(source, path, secret)
    except (InputError, ImportError) as error:
        if isinstance(error, InputError):
            raise
        raise _missing(str(error.name), path) from None
    except Exception as error:  # noqa: BLE001 - each driver has its own hierarchy of errors
        problem = not_answered(error, str(path))
        if secret:
            problem.what = problem.what.replace(secret, "(password)")
        raise problem from None
    return WarehouseTable(backend, table, str(path))


def is_source(path: Path) -> bool:
    """Whether a file names a table of a warehouse, by its ending."""
    return path.suffix.lower() in SUFFIXES


def read_source(path: Path) -> PostgresSource | SparkSource:
    """What a source file says. Raises InputError with the place of what is wrong."""
    document = load_file(path)
    if isinstance(document.data, dict):
        for key in document.data:
            if str(key).lower() in {"password", "passwd", "pwd", "token", "dsn", "url"}:
                raise InputError(
                    f"A source file holds no secret, and {key} may be one.",
                    advice="Write password_from with the name of a variable that ends in PASSWORD.",
                    code="data/secret-in-file",
                    place=document.place((key,)),
                )
    try:
        source = _SOURCES.validate_python(document.data)
    except ValidationError as error:
        raise _invalid(error, document) from None
    if isinstance(source, SparkSource) and (source.table is None) == (source.parquet is None):
        raise InputError(
            "A Spark source names either a table or Parquet files.",
            advice="Write one of the keys table and parquet.",
            code="data/source-file",
            place=document.place(()),
        )
    return source


def _invalid(error: ValidationError, document: Document) -> InputError:
    first = error.errors(include_input=False, include_url=False)[0]
    keys = [part for part in first["loc"] if part not in {"postgresql", "pyspark"}]
    place = document.place(tuple(keys[:1]) if keys and first["type"] != "missing" else ())
    return InputError(
        f"{'.'.join(str(key) for key in keys) or 'The source file'}: {first['msg']}.",
        advice="A source file names engine (postgresql or pyspark), table and, for PostgreSQL, "
        "database, host, port, user, password_from and sslmode.",
        code="data/source-file",
        place=place,
    )


def _password(source: PostgresSource | SparkSource, path: Path) -> str | None:
    if isinstance(source, SparkSource) or source.password_from is None:
        return None
    secret = os.environ.get(source.password_from)
    if not secret:
        raise InputError(
            f"The environment variable {source.password_from} is not set.",
            advice="Set it to the password of the account that reads the table.",
            code="data/no-password",
            place=Place(str(path)),
        )
    return secret


def _postgres(source: Any, path: Path, secret: str | None) -> tuple[Any, Any]:
    import ibis

    schema, _, name = source.table.rpartition(".")
    given = {"host": source.host, "user": source.user, "sslmode": source.sslmode}
    backend = ibis.postgres.connect(
        **{key: value for key, value in given.items() if value is not None},
        port=source.port,
        database=source.database,
        password=secret,
        options="-c default_transaction_read_only=on",
        application_name="guiderail",
    )
    # One snapshot for all questions: rows that arrive in between would make counts that do not add
    # up. The questions of Ibis become savepoints in this transaction, which ends with the session.
    backend.con.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    return backend, backend.table(name, database=schema or None)


def _spark(source: Any, path: Path, secret: str | None) -> tuple[Any, Any]:
    import ibis
    from pyspark.sql import SparkSession

    backend = ibis.pyspark.connect(SparkSession.builder.appName("guiderail").getOrCreate())
    if source.parquet is not None:
        files = source.parquet
        if "://" not in files:
            files = str((path.parent / files).resolve())
        return backend, backend.read_parquet(files)
    database, _, name = source.table.rpartition(".")
    return backend, backend.table(name, database=database or None)


def _missing(module: str, path: Path) -> InputError:
    what = "PySpark is" if module == "pyspark" else f"{module} is"
    return InputError(
        f"{what} not installed, and the table of this source file is read with it.",
        advice=f"{_INSTALL}." if module != "pyspark" else "Install pyspark beside guiderail.",
        code="data/warehouse-extra",
        place=Place(str(path)),
    )
