"""`guiderail attach`: evidence from outside for a case."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import act_as, formats, token_file, workspace
from guiderail.cli.output import print_json, print_lines


@click.command(epilog="Example: guiderail attach case-0001 sbom.cdx.json provenance.intoto.json")
@click.argument("case")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@token_file
@act_as
@formats()
def attach(
    case: str, files: tuple[Path, ...], token: Path | None, act_as: str | None, format_: str
) -> None:
    """Keep reports, SBOMs, provenance, model signatures and facts with a case.

    Each has to be about the release that was submitted, or about one of its files. A signature
    counts where its key is registered (guiderail signer); any other is kept as signed by somebody
    unknown. Facts that a trusted runner signed decide the case again. All files are kept or none.
    """
    from guiderail.render.evidence_text import attached_lines
    from guiderail.service.attach import attach as run
    from guiderail.service.attach import document

    found, attached = run(workspace(act_as), case, files, token=token)
    told = document(found, attached)
    print_json(told) if format_ == "json" else print_lines(attached_lines(told))
