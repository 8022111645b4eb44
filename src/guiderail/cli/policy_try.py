"""`guiderail policy check` and `eval`: is a pack sound, and what does it say about given facts?"""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines


@click.command("check", epilog="Example: guiderail policy check policies/our-pack")
@click.argument("packs", metavar="[PACK]...", nargs=-1)
@formats()
def check_(packs: tuple[str, ...], format_: str) -> int:
    """Check packs and report every problem with file, line, column and hint.

    PACK is a directory, or the name of a pack that ships; without any, all that ship are checked.
    """
    from guiderail.render.policy_text import check_lines
    from guiderail.service.policy_check import check_packs

    document = check_packs(packs)
    print_json(document) if format_ == "json" else print_lines(check_lines(document))
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
