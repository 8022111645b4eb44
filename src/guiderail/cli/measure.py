"""`guiderail measure`: figures about data and models, without a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guiderail.cli.measure_cost import cost
from guiderail.cli.measure_drift import drift
from guiderail.cli.measure_explanations import explanations, proxies
from guiderail.cli.measure_fairness import fairness, flips
from guiderail.cli.measure_performance import performance
from guiderail.cli.measure_runs import run, runs
from guiderail.cli.options import FILE_OR_NAME, encoding, formats
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail.core.csv_encoding import Encoding

_DATA = click.argument("data", type=FILE_OR_NAME)


def _print(kind: str, document: dict[str, Any], format_: str) -> None:
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.measure_text import measure_lines

    print_lines(measure_lines(kind, document))


@click.group()
def measure() -> None:
    """Figures about data and model files. What cannot be measured is said to be unknown."""


measure.add_command(cost)
measure.add_command(run)
measure.add_command(runs)
measure.add_command(performance)
measure.add_command(drift)
measure.add_command(fairness)
measure.add_command(flips)
measure.add_command(explanations)
measure.add_command(proxies)


@measure.command(epilog="Example: guiderail measure fingerprint examples/credit/data/german.csv")
@_DATA
@encoding
@formats()
def fingerprint(data: Path, encoding: Encoding | None, format_: str) -> None:
    """Order-free content fingerprint: equal for equal rows, whatever the file format.

    DATA is a CSV or Parquet file, or a source file (YAML) that names a table of a warehouse.
    """
    from guiderail.service.measure import fingerprint as run

    _print("fingerprint", run(data, encoding=encoding), format_)


@measure.command(epilog="Example: guiderail measure columns examples/credit/data/german.csv")
@_DATA
@click.option(
    "--dictionary",
    type=click.Path(path_type=Path),
    help="What your organisation knows about its column names (YAML).",
)
@encoding
@formats()
def columns(data: Path, dictionary: Path | None, encoding: Encoding | None, format_: str) -> None:
    """Which columns are personal or protected, how sure that is, and why.

    DATA is a CSV or Parquet file, or a source file (YAML) that names a table of a warehouse.
    """
    from guiderail.service.measure import columns as run

    _print("columns", run(data, dictionary=dictionary, encoding=encoding), format_)


@measure.command(epilog="Example: guiderail measure model model.skops")
@click.argument("model", type=FILE_OR_NAME)
@click.option(
    "--run",
    "run_on",
    type=FILE_OR_NAME,
    metavar="DATA",
    help="Also score this table, in the sandbox.",
)
@encoding
@formats()
def model(model: Path, run_on: Path | None, encoding: Encoding | None, format_: str) -> int:
    """Format, safety, inputs, architecture and tuning of a model file; nothing in it is executed.

    Exit code 1 when the file is not safe to load.
    """
    from guiderail.service.measure import model as run

    document = run(model, run_on=run_on, encoding=encoding)
    _print("model", document, format_)
    return 0 if document["safe"] else 1
