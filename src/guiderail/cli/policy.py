"""`guiderail policy`: the list of its commands."""

from __future__ import annotations

import click

from guiderail.cli.lazy import Entry, LazyGroup

TRY = "Write and try"
CHANGE = "Change what is in force"

COMMANDS: dict[str, Entry] = {
    "check": Entry("policy_try", "check_", "everything wrong with a pack, with file and line", TRY),
    "eval": Entry("policy_try", "eval_", "decide on facts from a file", TRY),
    "diff": Entry("policy_compare", "diff_", "what another pack makes lighter or heavier", TRY),
    "replay": Entry("policy_compare", "replay_", "past decisions under another pack", TRY),
    "prove": Entry("policy_prove", "prove", "what a pack can never do, proved or refuted", TRY),
    "status": Entry("policy_change", "status", "what is in force, and what is proposed", CHANGE),
    "propose": Entry("policy_change", "propose", "ask the owners to put a pack into force", CHANGE),
    "approve": Entry("policy_change", "approve", "approve a change as one of its owners", CHANGE),
    "reject": Entry("policy_change", "reject", "reject a change, with a reason", CHANGE),
    "withdraw": Entry("policy_change", "withdraw", "take back a change before its day", CHANGE),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def policy() -> None:
    """Policy packs: write, check and try them, and change the policy in force."""
