"""`guiderail measure explanations` and `measure proxies`: why models decide, and what stands in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guiderail.cli.measure_fairness import attributes
from guiderail.cli.options import FILE_OR_NAME, encoding, formats
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail.core.csv_encoding import Encoding


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(kind: str, document: dict[str, Any], format_: str) -> None:
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.explanations_text import explanations_lines

    print_lines(explanations_lines(kind, document))


@click.command(
    epilog="Example: guiderail measure explanations v2.skops --data evaluation.csv "
    "--baseline v1.skops --training training.csv --label good --threshold 0.7 "
    "--protected sex,age --reasons reasons.yaml --plots plots"
)
@click.argument("model", type=FILE_OR_NAME)
@click.option(
    "--data",
    required=True,
    type=FILE_OR_NAME,
    help="Rows to explain, CSV or Parquet.",
)
@click.option("--baseline", type=FILE_OR_NAME, help="The version to compare with.")
@click.option(
    "--reasons",
    type=click.Path(path_type=Path),
    help="YAML file with the text of each input for each audience; it is checked.",
)
@click.option("--label", metavar="COLUMN", help="The true outcome; it is no input.")
@click.option(
    "--protected", default="", metavar="A,B", help="Protected columns: never a reason for a no."
)
@click.option("--threshold", type=float, help="A score of at least this is a yes.")
@click.option("--positive", metavar="VALUE", help="The class that is a yes; else the second one.")
@click.option(
    "--training",
    type=FILE_OR_NAME,
    help="Training data of the baseline: trains it again to learn what training alone changes.",
)
@click.option("--plots", type=click.Path(path_type=Path), help="A folder to write SVG plots to.")
@encoding
@formats()
def explanations(
    model: Path,
    data: Path,
    baseline: Path | None,
    reasons: Path | None,
    label: str | None,
    protected: str,
    threshold: float | None,
    positive: str | None,
    training: Path | None,
    plots: Path | None,
    encoding: Encoding | None,
    format_: str,
) -> None:
    """What counts in a model, how two versions agree, and reasons for those who are refused."""
    from guiderail.service.measure_explanations import Settings
    from guiderail.service.measure_explanations import explanations as run

    settings = Settings(label, tuple(_names(protected)), threshold, positive, training, encoding)
    document = run(model, data, baseline=baseline, reasons=reasons, settings=settings, plots=plots)
    _print("explanations", document, format_)


@click.command(epilog="Example: guiderail measure proxies german.csv --by sex,age:25 --ignore good")
@click.argument("data", type=FILE_OR_NAME)
@click.option(
    "--by",
    required=True,
    metavar="A,B",
    help="Protected columns; age:25,40,60 puts a number into ranges, else quartiles.",
)
@click.option("--features", default="", metavar="A,B", help="Only these columns; else all others.")
@click.option("--ignore", default="", metavar="A,B", help="Columns that are no features.")
@encoding
@formats()
def proxies(
    data: Path, by: str, features: str, ignore: str, encoding: Encoding | None, format_: str
) -> None:
    """How well each feature, and all together, give protected attributes away."""
    from guiderail.service.measure_proxies import proxies as run

    document = run(
        data,
        by=attributes(by),
        features=_names(features),
        ignore=_names(ignore),
        encoding=encoding,
    )
    _print("proxies", document, format_)
