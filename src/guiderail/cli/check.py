"""`guiderail check`: the pre-flight check."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import directory, formats, workspace_if_any
from guiderail.cli.output import print_json, print_lines, progress

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
@formats("text", "json")
def check(
    directory: Path,
    baseline: str,
    at: str | None,
    detailed_exit_code: bool,
    brief: bool,
    format_: str,
) -> int:
    """What would happen if DIR were submitted now: track, reasons, gates, who will look.

    Nothing is submitted and nothing is changed.
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
        )
    if format_ == "json":
        from guiderail.render.check_json import check_document

        print_json(check_document(found.release, found.facts, found.decision, found.compared_with))
    else:
        from guiderail.render.check_text import brief_lines, check_lines

        lines = brief_lines if brief else check_lines
        print_lines(lines(found.release, found.decision, found.compared_with))
    outcome = found.decision.outcome.value
    return _DETAILED[outcome] if detailed_exit_code else int(outcome == "blocked")
