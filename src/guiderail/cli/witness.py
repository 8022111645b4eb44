"""`guiderail witness`: run a witness for ledgers that other people run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default="guiderail-witness",
    envvar="GUIDERAIL_WITNESS",
    show_default=True,
    show_envvar=True,
    help="Where the witness keeps its key and what it remembers.",
)


@click.group()
def witness() -> None:
    """Remember the ledgers of other people, and cosign only what continues them.

    For internal audit, or whoever does not answer to those who run the ledger. Best on a machine
    that they cannot reach.
    """


@witness.command(epilog="Example: guiderail witness init audit.example/w1")
@click.argument("name")
@_FOLDER
@formats()
def init(name: str, folder: Path, format_: str) -> None:
    """Make a witness with its own key. NAME says whose it is, and cannot change later."""
    from guiderail.service.run_witness import create_witness

    _show(create_witness(folder, name), format_)


@witness.command(
    epilog="Example: guiderail witness follow "
    '"guiderail.local/1f2e3d4c5b6a7988+95c6a0b4+AYf1yhVW8BF0uUDjlSPnlcBZhCrb8zyCL7LEGkQyGSNf"'
)
@click.argument("key")
@click.option(
    "--from",
    "start",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A checkpoint that you hold, to begin with; else the first that comes.",
)
@_FOLDER
@formats()
def follow(key: str, start: Path | None, folder: Path, format_: str) -> None:
    """Know one more ledger. KEY is the key of its log, which those who run it gave you."""
    from guiderail.service.run_witness import follow_log

    _show(follow_log(folder, key, start), format_)


@witness.command(epilog="Example: guiderail witness serve --port 8750")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; this machine."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8750,
    show_default=True,
    help="Port to listen on; 0 for a free one.",
)
@_FOLDER
def serve(host: str, port: int, folder: Path) -> None:
    """Answer until it is stopped. It may be killed at any moment without harm."""
    from guiderail.service.run_witness import serve_witness

    serve_witness(folder, host, port, lambda url: click.echo(f"The witness answers at {url}"))


@witness.command(epilog="Example: guiderail witness show")
@_FOLDER
@formats()
def show(folder: Path, format_: str) -> None:
    """Its key, what it remembers, and what it refused."""
    from guiderail.service.run_witness import show_witness

    _show(show_witness(folder), format_)


def _show(document: dict[str, Any], format_: str) -> None:
    from guiderail.render.witness_text import witness_lines

    print_json(document) if format_ == "json" else print_lines(witness_lines(document))
