"""`guiderail deploy`, `rollout`, `rollback` and `serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines


@click.command(epilog="Example: guiderail deploy case-0001")
@click.argument("case")
@click.option("--one-step", is_flag=True, help="Stop after the first step of the rollout.")
@act_as
@formats()
def deploy(case: str, one_step: bool, act_as: str | None, format_: str) -> None:
    """Start the rollout of a permitted case, or go on with one that was interrupted.

    Nothing starts without a valid permit, and only the very bytes that were approved are started.
    """
    document = run_rollout(workspace(act_as), case, one_step=one_step, quiet=format_ == "json")
    if format_ == "json":
        print_json(document)


def run_rollout(place: Any, case: str, *, one_step: bool, quiet: bool) -> dict[str, Any]:
    """Deploy, printing each step as it is taken; gives the document of the last one."""
    from guiderail.render.case_text import step_line
    from guiderail.service.deploy import Step
    from guiderail.service.deploy import deploy as run
    from guiderail.service.documents import step_document

    steps: list[dict[str, Any]] = []

    def told(step: Step) -> None:
        steps.append(step_document(step))
        if not quiet:
            print_lines([step_line(steps[-1])])

    last = run(place, case, one_step=one_step, told=told)
    document = {**step_document(last), "steps": steps}
    if not quiet:
        _say_where(document)
    return document


def _say_where(document: dict[str, Any]) -> None:
    if document["state"] == "rolling":
        click.echo(f"Next: guiderail rollout advance {document['workload']}")
    if document["url"]:
        click.echo(f"Ask it: POST {document['url']}/{document['workload']}/predict")


@click.group()
def rollout() -> None:
    """Status, next step, pause or abort of a rollout."""


@rollout.command("status", epilog="Example: guiderail rollout status credit-score")
@click.argument("workload", required=False)
@formats()
def rollout_status(workload: str | None, format_: str) -> None:
    """What should run, what runs, and whether they agree."""
    from guiderail.service.documents import gateway_document, status_document

    place = workspace()
    wanted = [
        row
        for row in status_document(place)["workloads"]
        if workload is None or row["workload"] == workload
    ]
    document = {"workloads": wanted, "gateway": gateway_document(place)}
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.rollout_text import rollout_lines

    print_lines(rollout_lines(document))


@rollout.command(epilog="Example: guiderail rollout advance credit-score")
@click.argument("workload")
@act_as
@formats()
def advance(workload: str, act_as: str | None, format_: str) -> None:
    """Take the next step; the last one makes the release live."""
    from guiderail.service.deploy import advance as run

    _print_step(run(workspace(act_as), workload), format_)


@rollout.command(epilog="Example: guiderail rollout pause credit-score")
@click.argument("workload")
@act_as
@formats()
def pause(workload: str, act_as: str | None, format_: str) -> None:
    """Hold the rollout where it is."""
    from guiderail.service.deploy import pause as run

    _print_step(run(workspace(act_as), workload), format_)


@rollout.command(epilog='Example: guiderail rollout abort credit-score --reason "complaints"')
@click.argument("workload")
@click.option("--reason", required=True, help="Why; kept in the ledger.")
@act_as
@formats()
def abort(workload: str, reason: str, act_as: str | None, format_: str) -> None:
    """Take all traffic from the new version; the one before serves everybody again."""
    from guiderail.service.deploy import abort as run

    _print_step(run(workspace(act_as), workload, reason), format_)


def _print_step(step: Any, format_: str) -> None:
    from guiderail.render.case_text import step_line
    from guiderail.service.documents import step_document

    document = step_document(step)
    if format_ == "json":
        print_json(document)
    else:
        print_lines([step_line(document)])
        _say_where(document)


@click.command(epilog="Example: guiderail rollback credit-score --to 1 --yes")
@click.argument("workload")
@click.option("--to", "to", metavar="DIGEST|VERSION|off", help="Default: the release before.")
@click.option("--dry-run", is_flag=True, help="Show what it means and stop.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--rehearse",
    "rehearse_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Rehearse going back from the release in DIR on a gateway of its own; production is not "
    "touched.",
)
@act_as
@formats()
def rollback(
    workload: str,
    to: str | None,
    dry_run: bool,
    yes: bool,
    rehearse_dir: Path | None,
    act_as: str | None,
    format_: str,
) -> None:
    """Go back. Contract, flips and teams are shown first; no new review is needed."""
    from guiderail.render.case_text import plan_lines
    from guiderail.service.documents import rollback_document
    from guiderail.service.roll_back import plan, roll_back

    place = workspace(act_as)
    if rehearse_dir is not None:
        _rehearse(place, workload, rehearse_dir, format_)
        return
    proposal = plan(place, workload, to)
    document = rollback_document(place, proposal)
    if format_ == "text":
        print_lines(plan_lines(document))
    if dry_run:
        if format_ == "json":
            print_json({**document, "done": False})
        return
    if not yes and format_ == "text":
        click.confirm("Go back now?", abort=True)
    done = roll_back(place, workload, to)
    if format_ == "json":
        print_json({**document, "done": True, "seconds": round(done.seconds, 3)})
    else:
        click.echo(f"{workload} serves {done.to_version} again, after {done.seconds:.1f} s.")


def _rehearse(place: Any, workload: str, directory: Path, format_: str) -> None:
    from guiderail.service.rehearse import rehearse

    found = rehearse(place, workload, directory)
    if format_ == "json":
        print_json(found)
    else:
        click.echo(f"{found['sentence']}")


@click.command(epilog="Example: guiderail serve status")
@click.argument("action", type=click.Choice(["start", "stop", "status"]), default="status")
@formats()
def serve(action: str, format_: str) -> None:
    """The local gateway: start, stop or status. It serves permitted releases only."""
    from guiderail.service import status
    from guiderail.service.documents import gateway_document

    place = workspace()
    if action == "start":
        status.start_gateway(place)
    if action == "stop":
        status.stop_gateway(place)
    document = gateway_document(place)
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.rollout_text import gateway_lines

    print_lines(gateway_lines(document))
