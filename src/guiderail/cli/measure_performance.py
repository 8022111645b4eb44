"""`guiderail measure performance`: how good a model is, and how it changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guiderail.cli.measure_fairness import attributes
from guiderail.cli.options import FILE_OR_NAME, encoding, formats
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail.core.csv_encoding import Encoding


@click.command(
    epilog="Example: guiderail measure performance scored.csv --label bad --score new "
    "--baseline-score old --metric roc_auc --slices region,age:25,40"
)
@click.argument("data", type=FILE_OR_NAME)
@click.option("--label", required=True, metavar="COLUMN", help="The true outcome.")
@click.option("--score", required=True, metavar="COLUMN", help="Score or decision of the model.")
@click.option("--baseline-score", metavar="COLUMN", help="The same of the model to compare with.")
@click.option(
    "--metric",
    default="roc_auc",
    show_default=True,
    help="Which measure, e.g. pr_auc, log_loss, brier, accuracy, f1, mcc, rmse, mae, r2.",
)
@click.option("--positive", metavar="VALUE", help="The label that counts as positive.")
@click.option("--weight", metavar="COLUMN", help="How much each row counts, 0 or more.")
@click.option(
    "--cluster", metavar="COLUMN", help="Rows with the same value here are one unit, e.g. a person."
)
@click.option(
    "--slices",
    default="",
    metavar="A,B",
    help="Columns in whose values, and pairs of values, to look for the worst; age:25,40 for "
    "ranges.",
)
@encoding
@formats()
def performance(
    data: Path,
    label: str,
    score: str,
    baseline_score: str | None,
    metric: str,
    positive: str | None,
    weight: str | None,
    cluster: str | None,
    slices: str,
    encoding: Encoding | None,
    format_: str,
) -> None:
    """The metric with its interval, and the paired change against a baseline.

    DATA is a CSV or Parquet file, or a source file (YAML) that names a table of a warehouse.
    """
    from guiderail.service.measure_performance import performance as run

    document = run(
        data,
        label=label,
        score=score,
        baseline_score=baseline_score,
        metric=metric,
        positive=positive,
        weight=weight,
        cluster=cluster,
        by=attributes(slices),
        encoding=encoding,
    )
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.performance_text import performance_lines

    print_lines(performance_lines(document))
