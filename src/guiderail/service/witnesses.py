"""Choose who witnesses the ledger, and say how it stands."""

from __future__ import annotations

from typing import Any

from guiderail.attest.keys import read_trusted
from guiderail.core.digest import sha256_digest
from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.core.scales import Track
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import to_text
from guiderail.ledger import witnesses as stored
from guiderail.ledger.events import EventName
from guiderail.ledger.standing import Standing, required, standing
from guiderail.ledger.witnesses import Witness
from guiderail.review.authz import Action, Matter, decide
from guiderail.service.journal import record
from guiderail.service.registers import transaction
from guiderail.service.sealing import ON_DEMAND_SECONDS, seal_and_ask
from guiderail.service.web_address import web_address
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Transaction
from guiderail_verify.cosignature import WitnessKey
from guiderail_verify.errors import VerifyError

MOST_WITNESSES = 16
"""A signed note has to be accepted with 16 signatures (c2sp.org/signed-note); one is the log's."""


def add_witness(workspace: Workspace, url: str, key: str) -> dict[str, Any]:
    """Ask this witness from now on, at once to begin with.

    key: its verifier key, which came from its owner. Raises InputError for a key or an address
    that cannot be used, ConflictError for a witness that is there already.
    """
    try:
        new = Witness(WitnessKey.from_text(key.strip()), web_address(url))
    except VerifyError as error:
        raise InputError(
            error.reason,
            code="witness/key",
            advice="Ask the owner of the witness for the line that `guiderail witness show` "
            "prints.",
        ) from error
    actor = _authorised(workspace)
    now = workspace.clock()
    with transaction(workspace) as tx:
        there = stored.setting(tx).witnesses
        _refuse_known(new, there)
        stored.add_witness(tx, new, now)
        _record(tx, workspace, "witness.added", actor, new)
    seal_and_ask(workspace, seconds=ON_DEMAND_SECONDS)
    return witnesses_document(workspace)


def remove_witness(workspace: Workspace, name: str) -> dict[str, Any]:
    """Ask it no longer. Raises InputError for a name that is not there."""
    actor = _authorised(workspace)
    with transaction(workspace) as tx:
        found = {one.key.name: one for one in stored.setting(tx).witnesses}
        if name not in found:
            raise InputError(
                f"there is no witness {name!r}",
                code="witness/unknown",
                advice="`guiderail ledger witness list` shows their names.",
            )
        stored.remove_witness(tx, name)
        _record(tx, workspace, "witness.removed", actor, found[name])
    return witnesses_document(workspace)


def require_witnesses(
    workspace: Workspace, quorum: int | None, within_hours: int | None
) -> dict[str, Any]:
    """How many must have cosigned, and how lately; None leaves that as it is.

    Raises InputError for more witnesses than there are.
    """
    actor = _authorised(workspace)
    with transaction(workspace) as tx:
        now = stored.setting(tx)
        if quorum is not None and quorum > len(now.witnesses):
            raise InputError(
                f"{quorum} witnesses cannot be required: there are {len(now.witnesses)}",
                code="witness/quorum",
                advice="Add witnesses first, or require fewer.",
            )
        kept = now.policy.quorum if now.chosen else None
        hours = now.within_hours if within_hours is None else within_hours
        stored.require(tx, kept if quorum is None else quorum, hours)
        after = stored.setting(tx)
        origin = read_trusted(workspace.home).origin
        record(
            tx,
            "witness.required",
            Subject("ledger", origin, sha256_digest(origin.encode())),
            actor,
            workspace.clock(),
            {"quorum": after.policy.quorum, "within_hours": hours},
            outcome="done",
        )
    return witnesses_document(workspace)


def witnesses_document(workspace: Workspace) -> dict[str, Any]:
    """Every witness with what it said last, and how the ledger stands."""
    with workspace.store.read() as snapshot:
        found = standing(snapshot, workspace.clock())
    keys = [key.to_text() for key in read_trusted(workspace.home).checkpoint]
    return {"log_keys": keys, **standing_document(found)}


def standing_document(found: Standing) -> dict[str, Any]:
    """How far somebody outside could notice a rewriting."""
    chosen, seen = found.setting, found.witnessed
    said = {answer.name: answer for answer in found.answers}
    return {
        "witnesses": [
            {
                "name": one.key.name,
                "url": one.url,
                "key": one.key.to_text(),
                "answer": None
                if one.key.name not in said
                else {
                    "outcome": said[one.key.name].outcome,
                    "sentence": said[one.key.name].sentence,
                    "at": to_text(said[one.key.name].at),
                },
            }
            for one in chosen.witnesses
        ],
        "quorum": chosen.policy.quorum,
        "required": required(chosen) if chosen.witnesses else None,
        "within_hours": chosen.within_hours,
        "entries": found.size,
        "witnessed": None if seen is None else {"size": seen.size, "at": to_text(seen.at)},
        "contradictions": list(found.contradictions),
        "warnings": list(found.warnings),
    }


def _authorised(workspace: Workspace) -> Actor:
    matter = Matter("", "ledger", Track.GREEN, "")
    on = workspace.clock().date()
    answer = decide(Action.CHOOSE_WITNESSES, workspace.person, matter, workspace.register, on)
    if not answer.allowed:
        raise RefusedError(
            answer.sentence,
            code=f"authz/{answer.rule}",
            advice="Ask somebody who has one of these roles in people.yaml.",
        )
    return workspace.actor


def _refuse_known(new: Witness, there: tuple[Witness, ...]) -> None:
    if len(there) >= MOST_WITNESSES - 1:
        raise ConflictError(
            f"there are {len(there)} witnesses already",
            code="witness/too-many",
            advice="Remove one first: not every reader of a checkpoint accepts more.",
        )
    for one in there:
        if one.key.name == new.key.name or one.key.public == new.key.public:
            raise ConflictError(
                f"the witness {one.key.name} is there already",
                code="witness/known",
                advice="Remove it first where its address changed.",
            )


def _record(
    tx: Transaction, workspace: Workspace, event: EventName, actor: Actor, about: Witness
) -> None:
    key = about.key.to_text()
    record(
        tx,
        event,
        Subject("witness", about.key.name, sha256_digest(key.encode())),
        actor,
        workspace.clock(),
        {"url": about.url, "verifier_key": key},
        outcome="done",
    )
