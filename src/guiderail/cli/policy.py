"""`guiderail policy`: the list of its commands."""

from __future__ import annotations

import click

from guiderail.cli.lazy import Entry, LazyGroup

COMMANDS: dict[str, Entry] = {
    "check": Entry("policy_try", "check_", "everything wrong with a pack, with file and line"),
    "eval": Entry("policy_try", "eval_", "decide on facts from a file"),
    "diff": Entry("policy_compare", "diff_", "what becomes lighter or heavier, with examples"),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def policy() -> None:
    """Policy packs: check one, or decide on given facts."""
