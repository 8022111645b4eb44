"""`guiderail gate`: one yes or no, closed without a permit."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import directory, formats, workspace
from guiderail.cli.output import print_json


@click.command(epilog="Example: guiderail gate --release sha256:4f1e... --format json")
@directory
@click.option("--release", metavar="DIGEST", help="The release; default: the one in DIR.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A newer signed state of permits; it is kept, and an older one is refused.",
)
@formats()
def gate(directory: Path, release: str | None, state: Path | None, format_: str) -> int:
    """May this release run? Exit code 0 with a valid permit, 1 in every other case."""
    from guiderail.service.gate import gate as run

    place = workspace(near=directory)
    answer = run(place, directory, release, state)
    if format_ == "json":
        print_json(answer)
    else:
        click.echo(answer["reason"])
    return 0 if answer["allowed"] else 1
