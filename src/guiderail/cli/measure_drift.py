"""`guiderail measure drift`: how far data moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guiderail.cli.options import FILE_OR_NAME, encoding, formats
from guiderail.cli.output import print_json, print_lines

if TYPE_CHECKING:
    from guiderail.core.csv_encoding import Encoding


@click.command(epilog="Example: guiderail measure drift training.csv today.csv --profile p.json")
@click.argument("reference", type=FILE_OR_NAME)
@click.argument("current", type=FILE_OR_NAME)
@click.option("--columns", metavar="A,B", help="Only these columns.")
@click.option(
    "--profile",
    type=click.Path(path_type=Path),
    help="A stored profile to use for the reference; written when it does not exist yet.",
)
@click.option(
    "--limit-psi",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PSI",
    help="The population stability index from which a column has moved; 0.25 unless given.",
)
@encoding
@formats()
def drift(
    reference: Path,
    current: Path,
    columns: str | None,
    profile: Path | None,
    limit_psi: float | None,
    encoding: Encoding | None,
    format_: str,
) -> None:
    """How far each column moved between two tables, judged by size and not by p-values."""
    from guiderail.service.measure_drift import drift as run

    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    document = run(
        reference, current, names=names, profile=profile, limit=limit_psi, encoding=encoding
    )
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.drift_text import drift_lines

    print_lines(drift_lines(document))
