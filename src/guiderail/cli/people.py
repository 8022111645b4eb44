"""`guiderail people`: erase what is kept about somebody."""

from __future__ import annotations

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines


@click.group()
def people() -> None:
    """Everybody in the register, and what is kept about them."""


@people.command(
    epilog='Example: guiderail people erase jonas.lind --reason "request of 3 March 2026"'
)
@click.argument("person", metavar="PERSON")
@click.option("--reason", default="", metavar="TEXT", help="Why; do not name people.")
@click.option("--dry-run", is_flag=True, help="List what would go and what stays; change nothing.")
@act_as
@formats()
def erase(person: str, reason: str, dry_run: bool, act_as: str | None, format_: str) -> int:
    """Erase what somebody wrote and who they were; what they decided stays.

    One person asks, a second one carries it out with the same command. Exit code 1 for a dry run
    that finds something that stands against it.
    """
    from guiderail.render.records_text import erase_lines, plan_lines
    from guiderail.service.erase import erase as run
    from guiderail.service.erase import plan

    if dry_run:
        document = plan(workspace(act_as), person)
        print_json(document) if format_ == "json" else print_lines(plan_lines(document))
        return 1 if document["against"] else 0
    document = run(workspace(act_as), person, reason)
    print_json(document) if format_ == "json" else print_lines(erase_lines(document))
    return 0
