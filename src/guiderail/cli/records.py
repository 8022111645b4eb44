"""Commands of `guiderail ledger` about how long records are kept."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines

_reason = click.option("--reason", required=True, metavar="TEXT", help="Why; do not name people.")


@click.command(epilog="Example: guiderail ledger prune --dry-run")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Only what had expired on this day (UTC); no later than now.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@act_as
@formats()
def prune(at: datetime | None, dry_run: bool, act_as: str | None, format_: str) -> None:
    """Remove records whose time is over; their hashes stay, so every proof stays good."""
    from guiderail.render.records_text import prune_lines
    from guiderail.service.prune import prune as run

    moment = at.replace(tzinfo=UTC) if at is not None else None
    document = run(workspace(act_as), at=moment, dry_run=dry_run)
    print_json(document) if format_ == "json" else print_lines(prune_lines(document))


@click.command(epilog='Example: guiderail ledger hold --case case-0001 --reason "claim 17/2026"')
@click.option("--case", metavar="CASE", help="Everything about this case.")
@click.option("--workload", metavar="NAME", help="Everything about this workload.")
@click.option("--person", metavar="PERSON", help="Everything that this person did.")
@click.option("--everything", is_flag=True, help="All records of the workspace.")
@_reason
@act_as
@formats()
def hold(
    case: str | None,
    workload: str | None,
    person: str | None,
    everything: bool,
    reason: str,
    act_as: str | None,
    format_: str,
) -> None:
    """Place a legal hold: what it covers is neither erased nor removed until it is released."""
    from guiderail.render.records_text import hold_lines
    from guiderail.service.holds import Kind, place

    chosen: list[tuple[Kind, str]] = []
    if case:
        chosen.append(("case", case))
    if workload:
        chosen.append(("workload", workload))
    if person:
        chosen.append(("person", person))
    if everything:
        chosen.append(("everything", ""))
    if len(chosen) != 1:
        raise click.UsageError("name one of --case, --workload, --person, --everything")
    document = place(workspace(act_as), *chosen[0], reason)
    print_json(document) if format_ == "json" else print_lines(hold_lines(document))


@click.command(epilog="Example: guiderail ledger holds")
@formats()
def holds(format_: str) -> None:
    """List the legal holds in force."""
    from guiderail.render.records_text import holds_lines
    from guiderail.service.holds import list_holds

    document = list_holds(workspace())
    print_json(document) if format_ == "json" else print_lines(holds_lines(document))


@click.command(
    "release-hold",
    epilog='Example: guiderail ledger release-hold hold-0001 --reason "claim 17/2026 settled"',
)
@click.argument("hold_id", metavar="HOLD")
@_reason
@act_as
@formats()
def release_hold(hold_id: str, reason: str, act_as: str | None, format_: str) -> None:
    """End a legal hold."""
    from guiderail.render.records_text import released_lines
    from guiderail.service.holds import release

    document = release(workspace(act_as), hold_id, reason)
    print_json(document) if format_ == "json" else print_lines(released_lines(document))


@click.command("new-vault-key", epilog="Example: guiderail ledger new-vault-key")
@act_as
@formats()
def new_vault_key(act_as: str | None, format_: str) -> None:
    """Go on after the master key of the vault was lost; what was written under it stays lost."""
    from guiderail.render.records_text import new_key_lines
    from guiderail.service.vault_key import new_vault_key as run

    document = run(workspace(act_as))
    print_json(document) if format_ == "json" else print_lines(new_key_lines(document))
