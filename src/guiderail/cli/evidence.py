"""`guiderail evidence`: bind reports to the release they speak of."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import directory, formats
from guiderail.cli.output import print_json


@click.command(epilog="Example: guiderail evidence examples/credit")
@directory
@formats()
def evidence(directory: Path, format_: str) -> None:
    """Write beside each report of DIR a statement that names the release it is about.

    Run it right after the scanner and the tests, on the same files: a report without its
    statement, or about other files, counts as insufficient.
    """
    from guiderail.service.evidence import bind_reports

    document = bind_reports(directory)
    if format_ == "json":
        print_json(document)
        return
    for path in document["written"]:
        click.echo(f"wrote {path}")
    for name in document["missing"]:
        click.echo(f"no report under evidence.{name}")
