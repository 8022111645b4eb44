"""`guiderail ledger`: log, verify, checkpoint, timestamp, export, witness."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from guiderail.cli.ledger_witness import witness
from guiderail.cli.options import formats, workspace
from guiderail.cli.output import print_json, print_lines
from guiderail.cli.records import hold, holds, new_vault_key, prune, release_hold


@click.group()
def ledger() -> None:
    """The append-only audit trail."""


for _command in (witness, prune, hold, holds, release_hold, new_vault_key):
    ledger.add_command(_command)


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
@click.option(
    "--fingerprint",
    metavar="TEXT",
    help="The fingerprint of a checkpoint that you wrote down; the log must continue it.",
)
@formats()
def verify(held: Path | None, fingerprint: str | None, format_: str) -> int:
    """Recompute everything from the stored bytes. Exit code 1 when anything does not hold."""
    from guiderail.render.ledger_text import verify_lines
    from guiderail.service.audit import verify as run

    document = run(workspace(), held=held, fingerprint=fingerprint)
    print_json(document) if format_ == "json" else print_lines(verify_lines(document))
    return 1 if document["problems"] else 0


@ledger.command(epilog="Example: guiderail ledger checkpoint > checkpoint.txt")
@formats()
def checkpoint(format_: str) -> None:
    """Seal the log, ask its witnesses, print the checkpoint.

    Keep it where the operator cannot reach: in an e-mail, in git, on paper. What nobody outside
    could notice is said on standard error, so that the output can be kept as it is.
    """
    from guiderail.render.ledger_text import checkpoint_lines
    from guiderail.service.audit import checkpoint as run

    document = run(workspace())
    if format_ == "json":
        print_json(document)
    else:
        click.echo(document["checkpoint"], nl=False)
        print_lines(checkpoint_lines(document), err=True)


@ledger.command(
    epilog="Example: guiderail ledger timestamp --url https://tsa.example --roots tsa-roots.pem"
)
@click.option("--url", metavar="TSA", help="The authority's address; else the one asked last.")
@click.option(
    "--roots",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Pin these root certificates (PEM): time stamps are checked against them from now on.",
)
@formats()
def timestamp(url: str | None, roots: Path | None, format_: str) -> int:
    """Let a time-stamping authority stamp the newest checkpoint.

    Its reply (RFC 3161) says that the checkpoint existed at that time, and is kept as it came.
    Exit code 1 when it does not verify against the pinned roots.
    """
    from guiderail.render.ledger_text import timestamp_lines
    from guiderail.service.timestamps import timestamp as run

    document = run(workspace(), url=url, roots=roots)
    print_json(document) if format_ == "json" else print_lines(timestamp_lines([document]))
    return 1 if document["state"] == "bad" else 0


_DAY = click.DateTime(["%Y-%m-%d"])


@ledger.command(
    epilog="Example: guiderail ledger export audit-2026 --since 2026-01-01 --until 2026-12-31 "
    '--sample 25 --seed "chosen by the auditor"'
)
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIRECTORY")
@click.option("--workload", metavar="NAME", help="Only the cases of this workload.")
@click.option("--since", type=_DAY, metavar="DATE", help="Submitted on this day or later (UTC).")
@click.option("--until", type=_DAY, metavar="DATE", help="Submitted on this day or before (UTC).")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Draw so many cases.")
@click.option("--seed", metavar="TEXT", help="What the sample is drawn by; the auditor chooses it.")
@formats()
def export(
    directory: Path,
    workload: str | None,
    since: datetime | None,
    until: datetime | None,
    sample: int | None,
    seed: str | None,
    format_: str,
) -> int:
    """Write an audit pack into a new directory; `guiderail-verify` checks it offline.

    Exit code 1 when an auditor will find something in it that does not hold.
    """
    from guiderail.render.ledger_text import export_lines
    from guiderail.service.audit_pack import export as run

    document = run(
        workspace(),
        directory,
        workload=workload,
        since=since.date() if since else None,
        until=until.date() if until else None,
        sample=sample,
        seed=seed,
    )
    print_json(document) if format_ == "json" else print_lines(export_lines(document))
    return 1 if document["problems"] else 0
