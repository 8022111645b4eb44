"""`guiderail measure run` and `measure runs`: what runs of a pipeline take, and cost."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines

_FILE = click.Path(path_type=Path)


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example: guiderail measure run pipelines/features --times 7 -- python build.py",
)
@click.argument("directory", type=_FILE, metavar="DIR")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--times", type=int, default=7, show_default=True, help="How often it is run.")
@click.option("--record", type=_FILE, metavar="FILE", help="Else running.runs of guiderail.yaml.")
@formats()
def run(
    directory: Path, command: tuple[str, ...], times: int, record: Path | None, format_: str
) -> None:
    """Run a pipeline in DIR, in turns with the calibration kernel, and write down what it takes.

    The command is yours and runs outside of the sandbox. To compare with the version in production,
    measure that one on the same data, from its own directory, into the same file (--record).
    """
    from guiderail.service.measure_runs import record_runs

    document = record_runs(directory, command, times=times, record=record)
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.runs_text import recorded_lines

    print_lines(recorded_lines(document))


@click.command(
    epilog="Example: guiderail measure runs runs.jsonl --plan run-plan.yaml --baseline old.jsonl"
)
@click.argument("runs", type=_FILE)
@click.option("--plan", type=_FILE, required=True, help="The run plan (YAML).")
@click.option("--baseline", type=_FILE, metavar="RUNS", help="Runs of the earlier version.")
@click.option("--baseline-plan", type=_FILE, help="Its run plan, where it is another one.")
@formats()
def runs(
    runs: Path, plan: Path, baseline: Path | None, baseline_plan: Path | None, format_: str
) -> None:
    """What a month of measured runs costs, and how that changed."""
    from guiderail.service.measure_runs import price_runs

    document = price_runs(runs, plan=plan, baseline=baseline, baseline_plan=baseline_plan)
    if format_ == "json":
        print_json(document)
        return
    from guiderail.render.runs_text import priced_lines

    print_lines(priced_lines(document))
