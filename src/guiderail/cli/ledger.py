"""`guiderail ledger`: log, verify, checkpoint."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats, workspace
from guiderail.cli.output import print_json, print_lines


@click.group()
def ledger() -> None:
    """The append-only audit trail."""


@ledger.command(epilog="Example: guiderail ledger log --case case-0001")
@click.option("--case", help="Only events of this case.")
@click.option("--limit", type=click.IntRange(1), help="At most so many, the newest.")
@formats()
def log(case: str | None, limit: int | None, format_: str) -> None:
    """Who did what, and why, in order."""
    from guiderail.render.ledger_text import log_lines
    from guiderail.service.audit import log as run

    document = run(workspace(), case=case, limit=limit)
    print_json(document) if format_ == "json" else print_lines(log_lines(document))


@ledger.command(epilog="Example: guiderail ledger verify --held checkpoint.txt")
@click.option(
    "--held",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A checkpoint that you kept outside; the log must continue it.",
)
@formats()
def verify(held: Path | None, format_: str) -> int:
    """Recompute everything from the stored bytes. Exit code 1 when anything does not hold."""
    from guiderail.render.ledger_text import verify_lines
    from guiderail.service.audit import verify as run

    document = run(workspace(), held=held)
    print_json(document) if format_ == "json" else print_lines(verify_lines(document))
    return 1 if document["problems"] else 0


@ledger.command(epilog="Example: guiderail ledger checkpoint > checkpoint.txt")
@formats()
def checkpoint(format_: str) -> None:
    """Seal the log now and print the signed checkpoint; keep it where the operator cannot reach."""
    from guiderail.service.audit import checkpoint as run

    document = run(workspace())
    if format_ == "json":
        print_json(document)
    else:
        click.echo(document["checkpoint"], nl=False)
