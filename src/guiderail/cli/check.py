"""`guiderail check`: the pre-flight check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from guiderail.cli.options import (
    directory,
    formats,
    key,
    statement_file,
    token_file,
    workspace_if_any,
)
from guiderail.cli.output import print_json, print_lines, progress

if TYPE_CHECKING:
    from guiderail.service.check import Checked

_DETAILED = {"go": 0, "needs_review": 2, "not_measurable": 3, "blocked": 1}


@click.command(
    epilog="Example: guiderail check examples/credit --format json", short_help="pre-flight check"
)
@directory
@click.option(
    "--baseline",
    default="production",
    metavar="DIR|DIGEST|production",
    help="What to compare with.",
    show_default=True,
)
@click.option("--at", metavar="DATE", help="Decide as on this day, e.g. 2026-12-31.")
@click.option(
    "--detailed-exit-code",
    is_flag=True,
    help="Also: 2 when people have to look, 3 when nothing can be said.",
)
@click.option("--brief", is_flag=True, help="Only the verdict and why.")
@click.option(
    "--attest",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="On a trusted runner: measure everything anew and write what it vouches for.",
)
@key
@click.option(
    "--audience",
    metavar="NAME",
    help="With --attest: print the audience for the CI's token, from the registered name.",
)
@statement_file
@token_file
@formats("text", "json")
def check(
    directory: Path,
    baseline: str,
    at: str | None,
    detailed_exit_code: bool,
    brief: bool,
    attest: Path | None,
    key: Path | None,
    audience: str | None,
    statement: Path | None,
    token: Path | None,
    format_: str,
) -> int:
    """What would happen if DIR were submitted now: track, reasons, gates, who will look.

    Nothing is submitted and nothing is changed. With --attest a runner also writes a statement of
    every fact it measured, which `guiderail submit --facts FILE` takes.
    """
    from guiderail.service.check import check as run
    from guiderail.service.check import parse_day

    with progress("Measuring") as report:
        found = run(
            directory,
            workspace_if_any(directory),
            baseline=baseline,
            at=parse_day(at) if at else None,
            progress=report,
            fresh=attest is not None,
            statement=statement,
            token=token,
        )
    if attest is not None:
        _attest(found, attest, key, audience)
    if format_ == "json":
        from guiderail.render.check_json import check_document

        print_json(check_document(found.release, found.facts, found.decision, found.compared_with))
    else:
        from guiderail.render.check_text import brief_lines, check_lines

        lines = brief_lines if brief else check_lines
        print_lines(lines(found.release, found.decision, found.compared_with))
    outcome = found.decision.outcome.value
    return _DETAILED[outcome] if detailed_exit_code else int(outcome == "blocked")


def _attest(found: Checked, path: Path, key: Path | None, audience: str | None) -> None:
    """Write what the runner vouches for; said on standard error, so that JSON stays JSON."""
    from guiderail.service.runner import audience_of, write_statement

    written = write_statement(found, path, key)
    signed = "signed" if written.signed else "not signed: send the token of the CI along"
    click.echo(f"wrote {written.path}: {written.facts} facts, {signed}", err=True)
    if audience is not None:
        click.echo(f"audience: {audience_of(path, audience)}", err=True)
