"""`guiderail ledger witness`: who outside remembers this ledger."""

from __future__ import annotations

from typing import Any

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines


@click.group()
def witness() -> None:
    """Who outside remembers this ledger.

    Whoever runs this workspace could rewrite its history, and a witness would notice. It is run by
    somebody who does not answer to them, with `guiderail witness`, or by anybody who speaks the
    C2SP tlog-witness protocol.
    """


@witness.command(
    epilog="Example: guiderail ledger witness add https://witness.audit.example "
    '"audit.example/w1+5a77a5fe+BMpjYWhbNdrxRWWHHrZsv7pTxzgcN3UsMW5hS0jDP7ZB"'
)
@click.argument("url")
@click.argument("key")
@act_as
@formats()
def add(url: str, key: str, act_as: str | None, format_: str) -> None:
    """Let a witness cosign every checkpoint from now on.

    It is asked at once. URL is its address; KEY is its verifier key, which its owner gave you. The
    owner needs the key of this log, which is printed.
    """
    from guiderail.service.witnesses import add_witness

    _show(add_witness(workspace(act_as), url, key), format_)


@witness.command("list", epilog="Example: guiderail ledger witness list")
@formats()
def list_(format_: str) -> None:
    """The witnesses, and what each said last."""
    from guiderail.service.witnesses import witnesses_document

    _show(witnesses_document(workspace()), format_)


@witness.command(epilog="Example: guiderail ledger witness remove audit.example/w1")
@click.argument("name")
@act_as
@formats()
def remove(name: str, act_as: str | None, format_: str) -> None:
    """Ask a witness no longer. The ledger records who decided that."""
    from guiderail.service.witnesses import remove_witness

    _show(remove_witness(workspace(act_as), name), format_)


@witness.command(epilog="Example: guiderail ledger witness require --quorum 2 --within-hours 12")
@click.option(
    "--quorum",
    type=click.IntRange(1),
    metavar="N",
    help="So many must have cosigned; more than half unless you choose.",
)
@click.option(
    "--within-hours",
    type=click.IntRange(1),
    metavar="HOURS",
    help="Warn when the newest witnessed checkpoint is older; 24 unless you choose.",
)
@act_as
@formats()
def require(quorum: int | None, within_hours: int | None, act_as: str | None, format_: str) -> None:
    """How many witnesses must have cosigned, and how lately."""
    from guiderail.service.witnesses import require_witnesses

    if quorum is None and within_hours is None:
        raise click.UsageError("Give --quorum, --within-hours or both.")
    _show(require_witnesses(workspace(act_as), quorum, within_hours), format_)


def _show(document: dict[str, Any], format_: str) -> None:
    from guiderail.render.witness_text import witnesses_lines

    print_json(document) if format_ == "json" else print_lines(witnesses_lines(document))
