"""`guiderail measure fairness` and `measure flips`: how two versions or groups are decided upon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guiderail.cli.options import FILE_OR_NAME, encoding, formats
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail.core.csv_encoding import Encoding

_DATA = click.argument("data", type=FILE_OR_NAME)
_RATES = ("tpr", "fpr", "fnr", "ppv", "npv", "accuracy")


def attributes(text: str) -> list[str]:
    """Entries of `A,B`; numbers after a column with limits belong to it, as in `age:25,40,sex`."""
    found: list[str] = []
    for part in (piece.strip() for piece in text.split(",")):
        if found and ":" in found[-1] and _is_number(part) and _is_number(_last(found[-1])):
            found[-1] += f",{part}"
        elif part:
            found.append(part)
    return found


def _last(text: str) -> str:
    return text.rpartition(":")[2].rpartition(",")[2]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _print(kind: str, document: dict[str, Any], format_: str) -> None:
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.fairness_text import fairness_lines

    print_lines(fairness_lines(kind, document))


@click.command(
    epilog="Example: guiderail measure fairness decided.csv --label good --prediction decision "
    "--by sex,age:25,40,60"
)
@_DATA
@click.option("--label", metavar="COLUMN", help="The true outcome; without it, selection only.")
@click.option("--prediction", metavar="COLUMN", help="The decision.")
@click.option(
    "--baseline-prediction",
    metavar="COLUMN",
    help="The decision of an earlier version: adds what changed for each group.",
)
@click.option("--score", metavar="COLUMN", help="A probability: adds calibration for each group.")
@click.option("--positive", metavar="VALUE", help="The decision that counts as selected.")
@click.option(
    "--by",
    required=True,
    metavar="A,B",
    help="Protected columns; age:25,40,60 puts a number into ranges.",
)
@click.option("--no-intersections", is_flag=True, help="Only single attributes.")
@click.option(
    "--error-rate",
    type=click.Choice(_RATES),
    help="The error rate that may block, chosen beforehand; else tpr and fpr, the worse counts.",
)
@click.option(
    "--ll144",
    is_flag=True,
    help="The tables of New York City's Local Law 144: --by SEX,RACE with --prediction or --score.",
)
@click.option(
    "--exclude-small",
    metavar="WHY",
    help="With --ll144: leave categories below 2 % out of the ratios, with this justification.",
)
@encoding
@formats()
def fairness(
    data: Path,
    label: str | None,
    prediction: str | None,
    baseline_prediction: str | None,
    score: str | None,
    positive: str | None,
    by: str,
    no_intersections: bool,
    error_rate: str | None,
    ll144: bool,
    exclude_small: str | None,
    encoding: Encoding | None,
    format_: str,
) -> None:
    """Rates of groups and intersections with intervals, compared with the most selected.

    DATA is a CSV or Parquet file, or a source file (YAML) that names a table of a warehouse.
    """
    if ll144:
        from guiderail.service.measure_bias_audit import bias_audit

        document = bias_audit(
            data,
            prediction=prediction,
            score=score,
            positive=positive,
            by=attributes(by),
            justification=exclude_small,
            encoding=encoding,
        )
        _print("bias_audit", document, format_)
        return
    if prediction is None:
        raise click.UsageError("Missing option '--prediction': the column with the decisions.")
    if exclude_small is not None:
        raise click.UsageError("--exclude-small belongs to --ll144.")
    from guiderail.service.measure_fairness import fairness as run

    document = run(
        data,
        label=label,
        prediction=prediction,
        baseline=baseline_prediction,
        score=score,
        positive=positive,
        by=attributes(by),
        intersections=not no_intersections,
        error_rate=error_rate,
        encoding=encoding,
    )
    _print("fairness", document, format_)


@click.command(
    epilog="Example: guiderail measure flips decided.csv --old v1 --new v2 --by sex --value amount"
)
@_DATA
@click.option("--old", required=True, metavar="COLUMN", help="Decision of the old version.")
@click.option("--new", required=True, metavar="COLUMN", help="Decision of the new version.")
@click.option(
    "--by", default="", metavar="A,B", help="Columns that make the groups; age:25,40 for ranges."
)
@click.option("--value", metavar="COLUMN", help="Amount of each case, usually in money.")
@click.option(
    "--sample",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    help="How many flipped rows to show, without personal columns; the data choose them.",
)
@encoding
@formats()
def flips(
    data: Path,
    old: str,
    new: str,
    by: str,
    value: str | None,
    sample: int,
    encoding: Encoding | None,
    format_: str,
) -> None:
    """Decisions that change between two versions, both ways, by group.

    DATA is a CSV or Parquet file, or a source file (YAML) that names a table of a warehouse.
    """
    from guiderail.service.measure_fairness import flips as run

    document = run(
        data, old=old, new=new, by=attributes(by), value=value, sample=sample, encoding=encoding
    )
    _print("flips", document, format_)
