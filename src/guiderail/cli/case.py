"""`guiderail submit`, `answer`, `status`, `case show` and `case withdraw`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guiderail.cli.options import act_as, directory, formats, statement_file, token_file, workspace
from guiderail.cli.output import print_json, print_lines, progress


@click.command(epilog="Example: guiderail submit examples/credit --as ana.duarte")
@directory
@click.option(
    "--no-deploy", is_flag=True, help="Stop at the permit even when the release is green."
)
@click.option("--brief", is_flag=True, help="Leave the check out of what is printed.")
@statement_file
@token_file
@act_as
@formats()
def submit(
    directory: Path,
    no_deploy: bool,
    brief: bool,
    statement: Path | None,
    token: Path | None,
    act_as: str | None,
    format_: str,
) -> None:
    """Ask for production. A green release gets its permit at once and deploys itself.

    Anything else becomes a case; you read who is waited for and why.
    """
    from guiderail.render.check_text import check_lines
    from guiderail.service.documents import case_document
    from guiderail.service.submit import submit as run

    place = workspace(act_as, directory)
    with progress("Measuring") as report:
        found = run(directory, place, progress=report, facts=statement, token=token)
    if format_ == "text" and not brief:
        print_lines(check_lines(found.release, found.decision, found.compared_with))
        for older in found.replaced:
            click.echo(f"{older} is void: this release takes its place.")
    if found.case.state == "permitted" and not no_deploy:
        from guiderail.cli.deploy import run_rollout

        click.echo("", err=format_ == "json")
        run_rollout(place, found.case.id, one_step=False, quiet=format_ == "json")
    document = case_document(place, found.case.id)
    if format_ == "json":
        print_json(document)
    else:
        _print_next(document)


def _print_next(document: dict[str, Any]) -> None:
    from guiderail.render.case_text import STATE_SENTENCE, waiting_lines

    click.echo(f"\n{document['case']} is {document['state']}. {STATE_SENTENCE[document['state']]}")
    print_lines(waiting_lines(document["waiting"]))
    command = _NEXT_COMMAND.get(document["state"])
    if command:
        click.echo(f"Next: {command.format(**document)}")


_NEXT_COMMAND = {
    "needs-answers": "guiderail answer {case}",
    "in-review": "guiderail status {case}",
    "permitted": "guiderail deploy {case}",
    "live": "guiderail rollout status {workload}",
}


@click.command(epilog="Example: guiderail answer case-0001 --set use.reversible=true")
@click.argument("case")
@click.option(
    "--set", "given", multiple=True, metavar="FACT=VALUE", help="Answer without being asked."
)
@click.option("--leave-open", is_flag=True, help="Ask nothing; what is open stays unknown.")
@click.option(
    "--context", is_flag=True, help="Ask also what only helps reviewers and decides nothing."
)
@act_as
@formats()
def answer(
    case: str,
    given: tuple[str, ...],
    leave_open: bool,
    context: bool,
    act_as: str | None,
    format_: str,
) -> None:
    """Answer what only you can know, one question at a time.

    Each question says why it is asked and what a good answer looks like. "I don't know" is a valid
    answer: the value stays unknown, counts as the worst it could be, and whoever can know is asked.
    Questions that only help reviewers come last, and may be left out.
    """
    from guiderail.service.answer import answer as run
    from guiderail.service.answer import read_value
    from guiderail.service.documents import case_document

    place = workspace(act_as)
    if given or leave_open:
        run(place, case, dict(read_value(place, case, text) for text in given))
    else:
        needed, values = _ask(place, case, context)
        if needed or values:
            run(place, case, values)
    document = case_document(place, case)
    if format_ == "json":
        print_json(document)
    else:
        _print_next(document)


def _ask(place: Any, case: str, context: bool) -> tuple[bool, dict[str, Any]]:
    """Whether anything was needed, and what the person answers."""
    from guiderail.cli.interview import ask, offer
    from guiderail.service.interview import interview

    found = interview(place, case)
    if not found.needed:
        click.echo("Nothing is open: everything could be read or was answered.", err=True)
    values = ask(found.needed)
    if found.offered and offer(len(found.offered), case, asked_for=context):
        values |= ask(found.offered)
    return bool(found.needed), values


@click.command(epilog="Example: guiderail status case-0001")
@click.argument("case", required=False)
@formats()
def status(case: str | None, format_: str) -> None:
    """Workloads and cases, where each stands, and who is waited for."""
    from guiderail.service.documents import case_document, status_document

    place = workspace()
    if case is not None:
        from guiderail.render.case_text import case_page

        document = case_document(place, case)
        print_json(document) if format_ == "json" else print_lines(case_page(document))
        return
    from guiderail.render.case_text import case_list, workload_list
    from guiderail.render.lines import heading
    from guiderail.render.witness_text import standing_lines

    document = status_document(place)
    if format_ == "json":
        print_json(document)
        return
    print_lines(workload_list(document["workloads"]))
    print_lines(heading("Cases"))
    print_lines(case_list(document["cases"]))
    outside = standing_lines(document["ledger"])
    if outside:
        print_lines(heading("Ledger"))
        print_lines(outside)


@click.group()
def case() -> None:
    """Everything about one case."""


@case.command(epilog="Example: guiderail case show case-0001 --format json")
@click.argument("case")
@formats()
def show(case: str, format_: str) -> None:
    """State, dossier, decision, answers, reviews, permit and events of a case."""
    from guiderail.render.case_text import case_page
    from guiderail.service.documents import case_document

    document = case_document(workspace(), case)
    print_json(document) if format_ == "json" else print_lines(case_page(document))


@case.command(epilog="Example: guiderail case evidence case-0001")
@click.argument("case", required=False)
@click.option("--about", metavar="DIGEST", help="Only about this release or artefact.")
@click.option("--type", "type_", metavar="TYPE", help="Only of this predicate type.")
@formats()
def evidence(case: str | None, about: str | None, type_: str | None, format_: str) -> None:
    """What is kept as evidence, who vouches for it and what it is about.

    Without CASE: of the whole workspace.
    """
    from guiderail.render.evidence_text import evidence_lines
    from guiderail.service.evidence_list import evidence_document

    document = evidence_document(workspace(), case, about=about, predicate_type=type_)
    print_json(document) if format_ == "json" else print_lines(evidence_lines(document))


@case.command(epilog="Example: guiderail case withdraw case-0001")
@click.argument("case")
@act_as
@formats()
def withdraw(case: str, act_as: str | None, format_: str) -> None:
    """Take a case back before its release starts. Submitting again opens a new one."""
    from guiderail.service.documents import case_document
    from guiderail.service.withdraw import withdraw as run

    place = workspace(act_as)
    run(place, case)
    document = case_document(place, case)
    print_json(document) if format_ == "json" else _print_next(document)
