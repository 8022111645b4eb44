"""`guiderail policy diff` and `replay`: what another policy would change, before it does."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats, workspace, workspace_if_any
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


@click.command("replay", epilog="Example: guiderail policy replay policies/our-pack")
@click.argument("pack", required=False)
@click.option("--since", metavar="DATE", help="Only decisions from this day on.")
@click.option("--all", "every", is_flag=True, help="Also decisions that a later one replaced.")
@click.option(
    "--as-decided",
    is_flag=True,
    help="Decide again under the pack of the day, and report what differs.",
)
@formats()
def replay_(
    pack: str | None, since: str | None, every: bool, as_decided: bool, format_: str
) -> int:
    """Past decisions under another pack: what changes, whose time it takes, which incidents.

    A fact that was recorded as unknown stays unknown; one that the new pack needs and that nobody
    recorded makes the decision not replayable. With --as-decided, or for the pack named `recorded`,
    every decision is made again under its own pack instead; the exit code is 1 where one differs.
    """
    if as_decided or pack == "recorded":
        return _as_decided(since, format_)
    if pack is None:
        raise click.UsageError("Name a pack, or give --as-decided.")
    from guiderail.render.replay_text import replay_lines
    from guiderail.service.replay import replay_document_of

    document = replay_document_of(workspace(), pack, since=since, every=every)
    print_json(document) if format_ == "json" else print_lines(replay_lines(document))
    return 0


def _as_decided(since: str | None, format_: str) -> int:
    from guiderail.render.replay_text import deviation_lines
    from guiderail.service.replay import as_decided_document

    document = as_decided_document(workspace(), since=since)
    if format_ == "json":
        print_json(document)
    else:
        print_lines(deviation_lines(document["n"], document["deviating"]))
    return 1 if document["deviating"] else 0
