"""`guiderail measure cost`: what a model takes to run, and what a month of it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guiderail.cli.options import FILE_OR_NAME, encoding, formats
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail.core.csv_encoding import Encoding

_FILE = click.Path(path_type=Path)


@click.command(
    epilog="Example: guiderail measure cost model.skops --data holdout.csv --plan serving.yaml "
    "--baseline old.skops"
)
@click.argument("model", type=FILE_OR_NAME)
@click.option(
    "--data", required=True, type=FILE_OR_NAME, help="Rows that the model takes, CSV or Parquet."
)
@click.option("--plan", type=_FILE, help="The serving plan (YAML): adds the monthly range.")
@click.option(
    "--baseline",
    type=FILE_OR_NAME,
    metavar="MODEL",
    help="An earlier version: adds the change in percent.",
)
@click.option(
    "--limit", type=float, metavar="PERCENT", help="Say whether the change lies above so much."
)
@click.option(
    "--exclude", metavar="A,B", help="Columns that are no inputs, for a model that names none."
)
@encoding
@formats()
def cost(
    model: Path,
    data: Path,
    plan: Path | None,
    baseline: Path | None,
    limit: float | None,
    exclude: str | None,
    encoding: Encoding | None,
    format_: str,
) -> None:
    """Processor time against the calibration kernel, in the sandbox, and the cost of a month."""
    from guiderail.service.measure_cost import cost as run

    document = run(
        model,
        data=data,
        plan=plan,
        baseline=baseline,
        limit=limit,
        encoding=encoding,
        exclude=tuple(name.strip() for name in (exclude or "").split(",") if name.strip()),
    )
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.cost_text import cost_lines

    print_lines(cost_lines(document))
