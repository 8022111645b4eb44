"""`guiderail measure`: figures about data and models, without a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guiderail.cli.measure_cost import cost
from guiderail.cli.measure_drift import drift
from guiderail.cli.measure_explanations import explanations, proxies
from guiderail.cli.measure_fairness import fairness, flips
from guiderail.cli.measure_performance import performance
from guiderail.cli.measure_runs import run, runs
from guiderail.cli.options import FILE_OR_NAME, formats
from guiderail.cli.output import print_json, print_lines

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
@formats()
def fingerprint(data: Path, format_: str) -> None:
    """Order-free content fingerprint: equal for equal rows, whatever the file format."""
    from guiderail.service.measure import fingerprint as run

    _print("fingerprint", run(data), format_)


@measure.command(epilog="Example: guiderail measure columns examples/credit/data/german.csv")
@_DATA
@click.option(
    "--dictionary",
    type=click.Path(path_type=Path),
    help="What your organisation knows about its column names (YAML).",
)
@formats()
def columns(data: Path, dictionary: Path | None, format_: str) -> None:
    """Which columns are personal or protected, how sure that is, and why."""
    from guiderail.service.measure import columns as run

    _print("columns", run(data, dictionary=dictionary), format_)


@measure.command(epilog="Example: guiderail measure model model.skops")
@click.argument("model", type=FILE_OR_NAME)
@click.option(
    "--run",
    "run_on",
    type=FILE_OR_NAME,
    metavar="DATA",
    help="Also score this table, in the sandbox.",
)
@formats()
def model(model: Path, run_on: Path | None, format_: str) -> int:
    """Format, safety, inputs, architecture and tuning of a model file; nothing in it is executed.

    Exit code 1 when the file is not safe to load.
    """
    from guiderail.service.measure import model as run

    document = run(model, run_on=run_on)
    _print("model", document, format_)
    return 0 if document["safe"] else 1
