"""`guiderail policy check` and `eval`: is a pack sound, and what does it say about given facts?"""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines


@click.command("check", epilog="Example: guiderail policy check policies/our-pack")
@click.argument("pack", type=click.Path(path_type=Path))
@formats()
def check_(pack: Path, format_: str) -> int:
    """Load a pack directory and report every problem with file, line and hint."""
    from guiderail.render.policy_text import problem_lines
    from guiderail.service.policy import check_pack

    document = check_pack(pack)
    print_json(document) if format_ == "json" else print_lines(problem_lines(document))
    return 1 if document["problems"] else 0


@click.command("eval", epilog="Example: guiderail policy eval model --facts facts.json")
@click.argument("pack")
@click.option(
    "--facts",
    "facts_file",
    required=True,
    type=click.Path(path_type=Path),
    help='JSON object of fact names and values; "unknown" is a value.',
)
@click.option("--kind", help="Kind of workload; default: the kind of the pack.")
@click.option("--at", metavar="DATE", help="Decide as on this day.")
@formats()
def eval_(pack: str, facts_file: Path, kind: str | None, at: str | None, format_: str) -> int:
    """Decide on facts from a file. PACK is `model`, `app`, `pipeline` or a pack directory."""
    from guiderail.service.policy import evaluate_file

    decision = evaluate_file(pack, facts_file, kind=kind, at=at)
    if format_ == "json":
        from guiderail.render.check_json import decision_document

        print_json(decision_document(decision))
    else:
        from guiderail.render.check_text import decision_lines

        print_lines(decision_lines(decision))
    return int(decision.outcome == "blocked")
