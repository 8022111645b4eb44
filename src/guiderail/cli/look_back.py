"""`guiderail as-of` and `guiderail card`: the past in one view, a release in one document."""

from __future__ import annotations

import click

from guiderail.cli.options import formats, workspace
from guiderail.cli.output import print_json, print_lines


@click.command("as-of", epilog="Example: guiderail as-of 2026-11-30")
@click.argument("date", metavar="DATE")
@formats()
def as_of(date: str, format_: str) -> None:
    """What ran, which policy was in force and who had which role on a past day.

    DATE is a day (its end in UTC; today means now) or a time such as 2026-11-30T12:00:00Z.
    Everything is replayed from the ledger, not read from the tables of today.
    """
    from guiderail.render.as_of_text import as_of_lines
    from guiderail.service.as_of import as_of as run

    document = run(workspace(), date)
    print_json(document) if format_ == "json" else print_lines(as_of_lines(document))


@click.command(epilog="Example: guiderail card case-0001 --format cyclonedx > bom.cdx.json")
@click.argument("case")
@formats("text", "json", "html", "cyclonedx", "oscal")
def card(case: str, format_: str) -> None:
    """The card of a release: what it is for, what it was measured to do, its limits, its way back.

    Made from the records of its case: as Markdown or a page to read, as a CycloneDX 1.7 bill of
    materials (of a model with its model card), or as OSCAL 1.2.1 assessment results. The same
    records give the same bytes; the audit pack holds the same files.
    """
    from guiderail.service.card import card as run

    form = "markdown" if format_ in ("text", "json") else format_
    document = run(workspace(), case, form)
    if format_ == "json":
        print_json({"case": case, "card": document})
    else:
        click.echo(document, nl=False)
