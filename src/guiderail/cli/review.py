"""`guiderail review`: list, read and decide cases."""

from __future__ import annotations

from typing import Any

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines

_role = click.option("--role", metavar="ROLE", help="In which role, if you hold several.")
_shown = click.option(
    "--dossier",
    metavar="DIGEST",
    help="The dossier you read; refused when the case has another one by now.",
)


@click.group()
def review() -> None:
    """List, read and decide cases. Your decision is bound to what you were shown."""


@review.command("list", epilog="Example: guiderail review list --as mira.okafor")
@click.option("--all", "everything", is_flag=True, help="Also cases that wait for others.")
@act_as
@formats()
def list_(everything: bool, act_as: str | None, format_: str) -> None:
    """Cases that wait for you."""
    from guiderail.render.case_text import case_list
    from guiderail.render.lines import paragraph
    from guiderail.service.documents import case_lines

    place = workspace(act_as)
    rows = case_lines(place, waiting_only=True)
    if not everything:
        mine = set(place.actor.roles)
        rows = [row for row in rows if mine & set(row["waiting_for"])]
    if format_ == "json":
        print_json({"cases": rows})
    elif rows:
        print_lines(case_list(rows))
    else:
        print_lines(
            paragraph("Nothing waits for you. `guiderail review list --all` shows the rest.")
        )


@review.command(epilog="Example: guiderail review show case-0001")
@click.argument("case")
@act_as
@formats()
def show(case: str, act_as: str | None, format_: str) -> None:
    """What you decide on: reasons, open gates, weak spots, and who else is waited for."""
    from guiderail.render.case_text import case_page, gates
    from guiderail.render.weak_spots_text import weak_spots
    from guiderail.service.documents import case_document
    from guiderail.service.shown import note_shown

    place = workspace(act_as)
    document = case_document(place, case)
    note_shown(place, case, document["dossier_digest"])
    if format_ == "json":
        print_json(document)
        return
    print_lines(case_page(document))
    print_lines(gates(document["decision"], _my_role(document, place)))
    print_lines(weak_spots(document["facts"]))


def _my_role(document: dict[str, Any], place: Any) -> str | None:
    waited = {item["role"] for item in document["waiting"]}
    return next((role for role in place.actor.roles if role in waited), None)


@review.command(epilog='Example: guiderail review approve case-0001 --reason "the drop is noise"')
@click.argument("case")
@_role
@click.option("--reason", default="", help="Why; needed where you accept a gate as it is.")
@click.option("--condition", "conditions", multiple=True, help="A condition; may be repeated.")
@_shown
@act_as
@formats()
def approve(
    case: str,
    role: str | None,
    reason: str,
    conditions: tuple[str, ...],
    dossier: str | None,
    act_as: str | None,
    format_: str,
) -> None:
    """Approve in your role. Accepts the insufficient gates that your role owns."""
    _give(case, "approve", role, reason, act_as, format_, conditions=conditions, shown=dossier)


@review.command(
    "request-changes",
    epilog='Example: guiderail review request-changes case-0001 --finding tests --reason "..."',
)
@click.argument("case")
@_role
@click.option("--finding", "findings", multiple=True, help="What it is about; may be repeated.")
@click.option("--reason", default="", help="What would satisfy it.")
@_shown
@act_as
@formats()
def request_changes(
    case: str,
    role: str | None,
    findings: tuple[str, ...],
    reason: str,
    dossier: str | None,
    act_as: str | None,
    format_: str,
) -> None:
    """Ask for specific changes; a new submission then takes the case's place."""
    _give(case, "request-changes", role, reason, act_as, format_, findings=findings, shown=dossier)


@review.command(epilog='Example: guiderail review reject case-0001 --reason "not for this purpose"')
@click.argument("case")
@_role
@click.option("--reason", default="", help="Why.")
@_shown
@act_as
@formats()
def reject(
    case: str,
    role: str | None,
    reason: str,
    dossier: str | None,
    act_as: str | None,
    format_: str,
) -> None:
    """Reject for good. The same digest cannot come back; a changed one can."""
    _give(case, "reject", role, reason, act_as, format_, shown=dossier)


@review.command("confirm-use", epilog="Example: guiderail review confirm-use case-0002")
@click.argument("case")
@act_as
@formats()
def confirm_use(case: str, act_as: str | None, format_: str) -> None:
    """Confirm, as risk officer, what the release is used for.

    Done once per use profile. The case is decided again with that known, which may make its tier
    lighter.
    """
    from guiderail.service.review import confirm_use as run

    place = workspace(act_as)
    run(place, case)
    _report(place, case, format_)


def _give(
    case: str,
    verdict: Any,
    role: str | None,
    reason: str,
    act_as: str | None,
    format_: str,
    **more: Any,
) -> None:
    from guiderail.service.review import give_review

    place = workspace(act_as)
    give_review(place, case, verdict, role=role, reason=reason, **more)
    _report(place, case, format_)


def _report(place: Any, case: str, format_: str) -> None:
    from guiderail.render.case_text import STATE_SENTENCE
    from guiderail.render.lines import paragraph
    from guiderail.render.words import role
    from guiderail.service.documents import case_document

    document = case_document(place, case)
    if format_ == "json":
        print_json(document)
        return
    waited = ", ".join(role(name) for name in document["waiting_for"])
    if document["state"] == "in-review":
        print_lines(paragraph(f"{case} is in review and waits for: {waited}."))
    else:
        print_lines(
            paragraph(f"{case} is {document['state']}. {STATE_SENTENCE[document['state']]}")
        )
