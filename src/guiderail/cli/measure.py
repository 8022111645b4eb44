"""`guiderail measure`: figures about data and models, without a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guiderail.cli.measure_explanations import explanations, proxies
from guiderail.cli.measure_fairness import fairness, flips
from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines

_DATA = click.argument("data", type=click.Path(path_type=Path))


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _print(kind: str, document: dict[str, Any], format_: str) -> None:
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.measure_text import measure_lines

    print_lines(measure_lines(kind, document))


@click.group()
def measure() -> None:
    """Figures about data and model files. What cannot be measured is said to be unknown."""


@measure.command(
    epilog="Example: guiderail measure performance scored.csv --label bad --score new "
    "--baseline-score old --metric roc_auc"
)
@_DATA
@click.option("--label", required=True, metavar="COLUMN", help="The true outcome.")
@click.option("--score", required=True, metavar="COLUMN", help="Score or decision of the model.")
@click.option("--baseline-score", metavar="COLUMN", help="The same of the model to compare with.")
@click.option("--metric", default="roc_auc", show_default=True, help="Which measure.")
@click.option("--positive", metavar="VALUE", help="The label that counts as positive.")
@formats()
def performance(
    data: Path,
    label: str,
    score: str,
    baseline_score: str | None,
    metric: str,
    positive: str | None,
    format_: str,
) -> None:
    """The metric with its interval, and the paired change against a baseline."""
    from guiderail.service.measure import performance as run

    document = run(
        data,
        label=label,
        score=score,
        baseline_score=baseline_score,
        metric=metric,
        positive=positive,
    )
    _print("performance", document, format_)


measure.add_command(fairness)
measure.add_command(flips)
measure.add_command(explanations)
measure.add_command(proxies)


@measure.command(epilog="Example: guiderail measure drift training.csv today.csv --profile p.json")
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("current", type=click.Path(path_type=Path))
@click.option("--columns", metavar="A,B", help="Only these columns.")
@click.option(
    "--profile",
    type=click.Path(path_type=Path),
    help="A stored profile to use for the reference; written when it does not exist yet.",
)
@formats()
def drift(
    reference: Path, current: Path, columns: str | None, profile: Path | None, format_: str
) -> None:
    """How far each column moved between two tables."""
    from guiderail.service.measure import drift as run

    _print("drift", run(reference, current, names=_names(columns), profile=profile), format_)


@measure.command(epilog="Example: guiderail measure fingerprint examples/credit/data/german.csv")
@_DATA
@formats()
def fingerprint(data: Path, format_: str) -> None:
    """Order-free content fingerprint: equal for equal rows, whatever the file format."""
    from guiderail.service.measure import fingerprint as run

    _print("fingerprint", run(data), format_)


@measure.command(epilog="Example: guiderail measure columns examples/credit/data/german.csv")
@_DATA
@formats()
def columns(data: Path, format_: str) -> None:
    """Which columns are personal or protected, how sure that is, and why."""
    from guiderail.service.measure import columns as run

    _print("columns", run(data), format_)


@measure.command(epilog="Example: guiderail measure model model.skops")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--run",
    "run_on",
    type=click.Path(path_type=Path),
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
