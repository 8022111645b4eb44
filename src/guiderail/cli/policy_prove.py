"""`guiderail policy prove`: what a pack can never do, with a counterexample where it can."""

from __future__ import annotations

import click

from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines


@click.command("prove", epilog="Example: guiderail policy prove policies/our-pack")
@click.argument("pack")
@click.option(
    "--without-solver",
    is_flag=True,
    help="Try every combination of boundary values instead of asking Z3.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.001),
    default=10.0,
    show_default=True,
    help="Processor time for one property of one kind; after it the property is undecided.",
)
@formats()
def prove(pack: str, without_solver: bool, seconds: float, format_: str) -> int:
    """Prove what holds for every release: unknown and riskier are never lighter, what must not be
    green never is, every rule and gate can decide. PACK is `model`, or a pack directory.

    Exit code 1 when a property is refuted or could not be decided.
    """
    from guiderail.render.prove_text import proof_lines
    from guiderail.service.policy_prove import prove_named

    document = prove_named(pack, solver=not without_solver, seconds=seconds)
    print_json(document) if format_ == "json" else print_lines(proof_lines(document, pack))
    return 0 if document["holds"] else 1
