"""`guiderail fetch`: copies of what the manifest names of MLflow, pinned by version and digest."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import directory, formats
from guiderail.cli.output import print_json, print_lines


@click.command(epilog="Example: guiderail fetch services/credit --update")
@directory
@click.option("--update", is_flag=True, help="Pin what each name stands for now.")
@formats()
def fetch(directory: Path, update: bool, format_: str) -> None:
    """Copy models and files that guiderail.yaml names as MLflow does (models:/..., runs:/...).

    The version and the digest are pinned in guiderail.lock: commit it. What is pinned stays the
    same wherever an alias moves, until --update. Nothing of a model is loaded.
    """
    from guiderail.service.fetch import fetch as run

    document = run(directory, update=update)
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.fetch_text import fetch_lines

    print_lines(fetch_lines(document))
