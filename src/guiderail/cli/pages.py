"""`guiderail explain` and `guiderail facts`."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats, workspace_if_any
from guiderail.cli.output import print_json, print_lines


@click.command(epilog="Example: guiderail explain performance-large")
@click.argument("id_", metavar="ID")
@click.option(
    "--kind",
    type=click.Choice(["model", "app", "pipeline"]),
    help="The page for this kind of workload, where kinds have pages of their own.",
)
@formats()
def explain(id_: str, kind: str | None, format_: str) -> None:
    """The page of a rule, gate, fact or question: what, why, what good looks like, how to fix."""
    from guiderail.render.page_text import page_lines
    from guiderail.service.pages import page_document

    document = page_document(id_, kind, workspace_if_any(Path.cwd()))
    print_json(document) if format_ == "json" else print_lines(page_lines(document))


@click.command(epilog="Example: guiderail facts --kind model")
@click.option("--kind", type=click.Choice(["app", "model", "pipeline"]), help="Only this kind.")
@formats()
def facts(kind: str | None, format_: str) -> None:
    """The catalogue of facts: everything that a policy can ask about."""
    from guiderail.render.page_text import fact_lines
    from guiderail.service.pages import fact_documents

    rows = fact_documents(kind, workspace_if_any(Path.cwd()))
    print_json({"facts": rows}) if format_ == "json" else print_lines(fact_lines(rows))
