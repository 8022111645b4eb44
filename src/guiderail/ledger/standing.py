"""How far somebody outside could notice that the ledger was rewritten; said plainly where not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from guiderail.ledger.witnesses import (
    CLOCK_TOLERANCE,
    LastAnswer,
    Setting,
    Witnessed,
    last_answers,
    newest_witnessed,
    setting,
)
from guiderail.store.tables import log_head
from guiderail.store.transaction import Snapshot

_UNNOTICED = (
    "nobody outside could notice if whoever runs this workspace rewrote its history or took back "
    "its newest entries"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """size: entries of the ledger now. witnessed: the newest checkpoint of the quorum.

    answers: what each witness said last, those that were asked. contradictions: what witnesses say
    that contradicts the ledger. warnings: what nobody outside could notice; empty only where a
    quorum of witnesses confirmed the ledger lately.
    """

    setting: Setting
    size: int
    witnessed: Witnessed | None
    answers: tuple[LastAnswer, ...]
    contradictions: tuple[str, ...]
    warnings: tuple[str, ...]


def standing(snapshot: Snapshot, now: datetime) -> Standing:
    """From what is stored; nobody is asked. Raises IntegrityError as `setting` does."""
    chosen = setting(snapshot)
    size = int(snapshot.execute(select(log_head.c.size)).scalar_one_or_none() or 0)
    witnessed = newest_witnessed(snapshot, chosen, now + CLOCK_TOLERANCE)
    said = last_answers(snapshot)
    answers = tuple(said[one.key.name] for one in chosen.witnesses if one.key.name in said)
    return Standing(
        chosen,
        size,
        witnessed,
        answers,
        tuple(one.sentence for one in answers if one.outcome == "contradicts"),
        tuple(_warnings(chosen, size, witnessed, now)),
    )


def _warnings(chosen: Setting, size: int, witnessed: Witnessed | None, now: datetime) -> list[str]:
    if not chosen.witnesses:
        return [
            f"This ledger has no witness: {_UNNOTICED}. Let somebody who does not answer to them "
            "run a witness and name it with `guiderail ledger witness add`, or keep what "
            "`guiderail ledger checkpoint` prints out of their reach."
        ]
    of_whom = required(chosen)
    if witnessed is None:
        return [f"Nothing in this ledger is cosigned by {of_whom} yet: {_UNNOTICED}."]
    age = now - witnessed.at
    if age <= timedelta(hours=chosen.within_hours):
        return []
    hours = int(age.total_seconds() // 3600)
    lead = (
        f"The newest checkpoint that {of_whom} cosigned is {hours} hours old, more than "
        f"{chosen.within_hours}: "
    )
    newer = size - witnessed.size
    if newer > 0:
        which = "entry" if newer == 1 else f"{newer} entries"
        return [f"{lead}nobody outside could notice if the {which} since then changed or vanished."]
    return [
        f"{lead}nobody outside could notice if entries were added since then and removed again. "
        "`guiderail ledger checkpoint` asks the witnesses anew."
    ]


def required(chosen: Setting) -> str:
    """The rule in words: `2 of 3 witnesses`, or the name of the only one."""
    count = len(chosen.witnesses)
    if count == 1:
        return f"the witness {chosen.witnesses[0].key.name}"
    return f"{chosen.policy.quorum} of {count} witnesses"
