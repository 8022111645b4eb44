"""`guiderail init`: a pre-filled manifest, or a new workspace."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import directory, formats
from guiderail.cli.output import print_json, print_lines


@click.command(epilog="Example: guiderail init my-model")
@directory
@click.option(
    "--workspace",
    "as_workspace",
    is_flag=True,
    help="Make DIR a workspace instead: registers of people and features, keys, ledger.",
)
@formats()
def init(directory: Path, as_workspace: bool, format_: str) -> None:
    """Read the repository in DIR and write a guiderail.yaml; say what could not be read.

    Nothing that exists is overwritten and nothing of the repository is executed.
    """
    if as_workspace:
        from guiderail.service.set_up import new_workspace

        document = new_workspace(directory)
    else:
        from guiderail.service.set_up import new_manifest

        document = new_manifest(directory)
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.lines import heading, paragraph

    for path in document["written"]:
        click.echo(f"wrote {path}")
    if document["unknown"]:
        print_lines(heading("Could not be read; please fill in:"))
        print_lines(paragraph(", ".join(document["unknown"]), indent=2))
    click.echo(f"Next: {document['next']}")
