"""`guiderail permit`: revoke, state, reissue."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines


@click.group()
def permit() -> None:
    """Take permits back, and tell targets about it."""


@permit.command(
    epilog='Example: guiderail permit revoke permit-4f1e2c --reason "The test data were wrong."'
)
@click.argument("permit_id", metavar="PERMIT")
@click.option("--reason", required=True, help="Why; the submitter and auditors read it.")
@click.option(
    "--stop-serving",
    is_flag=True,
    help="Even if its release serves production now, which then answers 503.",
)
@act_as
@formats()
def revoke(
    permit_id: str, reason: str, stop_serving: bool, act_as: str | None, format_: str
) -> None:
    """Take a permit back: nothing starts with it any more, and what runs with it stops.

    The local target is told at once. Others learn it from the state of permits.
    """
    from guiderail.service.permit_commands import revoke as run

    document = run(workspace(act_as), permit_id, reason, stop_serving=stop_serving)
    if format_ == "json":
        print_json(document)
        return
    click.echo(f"{permit_id} of {document['case']} is taken back.")
    click.echo("Targets elsewhere need the new state: guiderail permit state > state.json")


@permit.command(epilog="Example: guiderail permit state > state.json")
@click.option(
    "--valid-days",
    type=click.IntRange(1, 366),
    help="Issue a new state that is valid so long; without it, the newest, for seven days.",
)
@formats()
def state(valid_days: int | None, format_: str) -> None:
    """Print the signed state of permits: everything that was taken back, for targets.

    A target keeps the highest version that it was given and refuses an older one.
    """
    from guiderail.service.permit_commands import state as run
    from guiderail.service.permit_commands import state_document

    place = workspace()
    envelope = run(place, None if valid_days is None else timedelta(days=valid_days))
    if format_ == "json":
        print_json(state_document(place, envelope))
    else:
        sys.stdout.buffer.write(envelope + b"\n")


@permit.command(epilog="Example: guiderail permit reissue --all")
@click.argument("permits", nargs=-1, metavar="[PERMIT]...")
@click.option("--all", "everything", is_flag=True, help="All of them, and policies in force too.")
@act_as
@formats()
def reissue(permits: tuple[str, ...], everything: bool, act_as: str | None, format_: str) -> None:
    """After a key was compromised: sign again, with the new key, what counts no more.

    Without PERMIT and without --all it only lists them. Look at each case first: what a thief
    recorded with access to this workspace looks the same.
    """
    from guiderail.render.keys_text import affected_lines
    from guiderail.service.key_compromise import affected, affected_document, serve_again
    from guiderail.service.key_compromise import reissue as run

    place = workspace(act_as)
    if not permits and not everything:
        document = {"done": False, **affected_document(affected(place))}
    else:
        made = run(place, None if everything else permits)
        document = {"done": True, **affected_document(made), "served": serve_again(place)}
    print_json(document) if format_ == "json" else print_lines(affected_lines(document))
