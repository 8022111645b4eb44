"""`guiderail evidence`: bind reports to the release they speak of."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import directory, formats, key
from guiderail.cli.output import print_json


@click.command(epilog="Example: guiderail evidence examples/credit")
@directory
@key
@formats()
def evidence(directory: Path, key: Path | None, format_: str) -> None:
    """Write beside each report of DIR a statement that names the release it is about.

    Run it right after the scanner and the tests, on the same files: a report without its
    statement, or about other files, counts as insufficient. A trusted runner signs the
    statements with its key.
    """
    from guiderail.service.evidence import bind_reports

    document = bind_reports(directory, key=key)
    if format_ == "json":
        print_json(document)
        return
    for path in document["written"]:
        click.echo(f"wrote {path}" + (", signed" if document["signed"] else ""))
    for name in document["missing"]:
        click.echo(f"no report under evidence.{name}")
