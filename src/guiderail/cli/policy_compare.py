"""`guiderail policy diff` and `replay`: what another policy would change, before it does."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats, workspace_if_any
from guiderail.cli.output import print_json, print_lines


@click.command("diff", epilog="Example: guiderail policy diff model policies/our-pack")
@click.argument("old")
@click.argument("new")
@click.option("--kind", "kinds", multiple=True, help="Kind of workload; default: all shared ones.")
@formats()
def diff_(old: str, new: str, kinds: tuple[str, ...], format_: str) -> int:
    """What becomes lighter or heavier from OLD to NEW, with an example each.

    A pack is named by `model`, by its directory, or by the digest sha256:... of a pack that made a
    decision in this workspace.
    """
    from guiderail.render.diff_json import diff_document
    from guiderail.render.diff_text import diff_lines
    from guiderail.service.packs import compare

    document = diff_document(compare(old, new, kinds, workspace_if_any(Path.cwd())))
    print_json(document) if format_ == "json" else print_lines(diff_lines(document))
    return 0
