"""Change the policy: propose a pack, decide about it, put it into force, take it back.

A change of the policy is governed like a release. Its checks, examples and proofs have to hold; the
owners of what changes approve it, never its author; it takes effect on a day and never backwards.
Until then, and whatever goes wrong, the pack in force stays in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from guiderail.core.errors import ConflictError, InputError, Place, RefusedError
from guiderail.core.scales import Track
from guiderail.core.subject import Subject
from guiderail.policy.pack import Pack, compiled_text
from guiderail.review import policy_change_rows as rows
from guiderail.review.authz import Action, Matter, decide
from guiderail.review.contributors import contributors
from guiderail.review.policy_change import ChangeState, PolicyChange, Vote, owners_to_ask
from guiderail.service.journal import record
from guiderail.service.policy import checked_pack
from guiderail.service.policy_activate import activate
from guiderail.service.policy_evidence import evidence_of
from guiderail.service.policy_in_force import (
    PolicyInForce,
    recorded,
    recorded_pack,
    stored_compiled,
    write_in_force,
)
from guiderail.service.registers import transaction
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Decided:
    """A change after somebody decided. effective_at is set once it is approved."""

    change: PolicyChange
    effective_at: datetime | None


def propose(
    workspace: Workspace,
    name: str,
    *,
    reason: str,
    effective: str | None = None,
    progress: Progress | None = None,
) -> PolicyChange:
    """Check, prove, compare and replay a pack, then ask its owners.

    name: a pack directory, the name of a shipped pack, or the digest of one that was in force here.
    effective: the first day, `YYYY-MM-DD`; default the pack's own `effective_from`, or today for a
        shipped or earlier pack.
    Raises InputError for a pack with problems or a day that has passed, RefusedError when a proof
    fails, ConflictError when another change of the same kinds is open.
    """
    now = workspace.clock()
    author = workspace.person.id
    if not reason.strip():
        raise InputError("a policy change needs a reason", code="policy/reason",
                         advice='Say what it is for: --reason "..."')  # fmt: skip
    directory = Path(name) if Path(name).is_dir() else None
    pack = checked_pack(name, workspace, today=now.date())
    if not pack.kinds:
        raise InputError(f"the pack {pack.id} decides about no kind of workload",
                         code="policy/no-kinds", advice="Name them: `kinds: [model]`.",
                         place=_place(directory, "kinds"))  # fmt: skip
    effective_on = _first_day(pack, directory, effective, now.date())
    with workspace.store.read() as snapshot:
        before = {kind: recorded_pack(snapshot, workspace, kind, now) for kind in pack.kinds}
        _refuse_open(snapshot, workspace, pack.kinds, now)
    _refuse_same(pack, before)
    evidence = evidence_of(workspace, pack, before, now, progress)
    people = contributors(directory, workspace.register) if directory is not None else frozenset()
    compiled = workspace.blobs.put_bytes(compiled_text(pack).encode("utf-8"))
    with transaction(workspace) as tx:
        _refuse_open(tx, workspace, pack.kinds, now)
        change_id, number = rows.next_id(tx)
        change = PolicyChange(
            id=change_id,
            pack=pack.id,
            version=pack.version,
            digest=pack.digest,
            texts_digest=pack.texts_digest,
            compiled=compiled,
            kinds=pack.kinds,
            replaces={kind: old.digest for kind, old in before.items()},
            effective_on=effective_on,
            author=author,
            contributors=people | {author},
            reason=reason.strip(),
            needs=_needs(before, pack),
            evidence=evidence,
            state=ChangeState.PROPOSED,
            created_at=now,
        )
        _refuse_other_base(tx, workspace, change, now)
        rows.add(tx, change, number)
        _record(tx, workspace, "policy.proposed", change, now, _proposed(change),
                notify=tuple(change.needs))  # fmt: skip
    return change


def decide_change(
    workspace: Workspace, change_id: str, verdict: str, *, role: str | None = None, reason: str = ""
) -> Decided:
    """One owner's decision, `approve` or `reject`. The last approval needed puts it into force.

    Raises RefusedError for somebody who may not decide, ConflictError when the policy in force is
    not the one that the change was compared with any more.
    """
    now = workspace.clock()
    if verdict == "reject" and not reason.strip():
        raise InputError("to reject needs a reason", code="review/reason",
                         advice='Say what the author should know: --reason "..."')  # fmt: skip
    effective_at = None
    with transaction(workspace) as tx:
        change = rows.load(tx, change_id)
        _refuse_closed(change)
        role = role or _only_role(workspace, change)
        _authorise(workspace, change, role, now.date())
        if verdict == "approve":
            _refuse_other_base(tx, workspace, change, now)
        change = rows.add_vote(
            tx, change, Vote(workspace.person.id, role, verdict, reason.strip(), now)
        )
        payload = {"change": change.id, "role": role, "verdict": verdict,
                   "reason": reason.strip(), "digest": change.digest}  # fmt: skip
        _record(tx, workspace, "policy.reviewed", change, now, payload, outcome=verdict,
                notify=(change.author,))  # fmt: skip
        if verdict == "reject":
            change = rows.move(tx, change, ChangeState.REJECTED, now)
        elif not change.open_roles:
            effective_at = max(now, datetime.combine(change.effective_on, time(), UTC))
            change = rows.move(tx, change, ChangeState.ACTIVATED, now)
            activate(tx, workspace, _pack_of(workspace, change), workspace.actor,
                     effective_at=effective_at, change=change.id, replaces=change.replaces,
                     notify=(change.author, *change.needs))  # fmt: skip
    _publish(workspace)
    return Decided(change, effective_at)


def withdraw_change(workspace: Workspace, change_id: str, *, reason: str = "") -> PolicyChange:
    """Take back a change that is not in force yet: by its author, or by one of its owners."""
    now = workspace.clock()
    with transaction(workspace) as tx:
        change = rows.load(tx, change_id)
        begins = _begins(recorded(tx, workspace), change)
        if change.state is ChangeState.ACTIVATED and begins is not None and begins <= now:
            raise ConflictError(
                f"{change.id} is in force since {begins:%Y-%m-%d %H:%M} UTC",
                code="policy/in-force",
                advice=f"Propose the pack that was in force before: guiderail policy propose "
                f"{next(iter(change.replaces.values()))}",
            )
        if change.state not in (ChangeState.PROPOSED, ChangeState.ACTIVATED):
            _refuse_closed(change)
        person = workspace.person
        if person.id not in change.contributors and not set(person.roles) & set(change.needs):
            raise RefusedError(
                f"{person.name} is neither an author nor an owner of {change.id}.",
                code="authz/not-yours",
                advice=f"Ask {change.author} to withdraw it.",
            )
        table = tables.policy_activation
        tx.execute(delete(table).where(table.c.change_id == change.id))
        change = rows.move(tx, change, ChangeState.WITHDRAWN, now)
        _record(tx, workspace, "policy.withdrawn", change, now,
                {"change": change.id, "reason": reason.strip(), "digest": change.digest},
                outcome="withdrawn", notify=(change.author, *change.needs))  # fmt: skip
    _publish(workspace)
    return change


def waiting(workspace: Workspace, change: PolicyChange) -> dict[str, tuple[str, ...]]:
    """Roles that a proposed change waits for, each with the people who could decide today."""
    if change.state is not ChangeState.PROPOSED:
        return {}
    on = workspace.clock().date()
    return {
        role: tuple(
            person.id
            for person in workspace.register.in_role(role)
            if all(
                decide(Action.DECIDE_POLICY, person, matter, workspace.register, on).allowed
                for matter in _matters(change, role)
            )
        )
        for role in change.open_roles
    }


def _pack_of(workspace: Workspace, change: PolicyChange) -> Pack:
    return stored_compiled(workspace, change.compiled, change.digest, change.texts_digest)


def _needs(before: dict[str, Pack], after: Pack) -> dict[str, tuple[str, ...]]:
    needs: dict[str, dict[str, None]] = {}
    for old in before.values():
        for role, parts in owners_to_ask(old, after).items():
            needs.setdefault(role, {}).update(dict.fromkeys(parts))
    return {role: tuple(parts) for role, parts in needs.items()}


def _first_day(pack: Pack, directory: Path | None, effective: str | None, today: date) -> date:
    """The day from which a pack may hold. Raises InputError for one that has passed."""
    own = date.fromisoformat(str(pack.tree["effective_from"]))
    if effective is None:
        day = own if directory is not None else max(own, today)
    else:
        day = _day(effective)
    if day < today:
        raise InputError(
            f"{day} has passed; a policy never takes effect backwards",
            code="policy/effective-date",
            advice=f"Write a day from {today} on, or give one with --effective.",
            place=None if effective else _place(directory, "effective_from"),
        )
    if day < own:
        raise InputError(
            f"the pack says that it holds from {own} on, which is after {day}",
            code="policy/effective-date",
            advice="Change effective_from in pack.yaml, or name a later day.",
            place=_place(directory, "effective_from"),
        )
    return day


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day", code="input/date",
                         advice="Write it as 2026-12-01.") from error  # fmt: skip


def _place(directory: Path | None, key: str) -> Place | None:
    if directory is None:
        return None
    from guiderail.policy.pack_reader import read_directory

    packs = read_directory(directory).packs
    return packs[-1].document.value_place((key,)) if packs else None


def _refuse_same(pack: Pack, before: dict[str, Pack]) -> None:
    if all((old.digest, old.texts_digest) == (pack.digest, pack.texts_digest)
           for old in before.values()):  # fmt: skip
        raise ConflictError(
            f"the pack {pack.id} {pack.version} is in force already",
            code="policy/unchanged",
            advice="Nothing has to be done. `guiderail policy status` shows what is in force.",
        )


def _refuse_open(tx: Snapshot, workspace: Workspace, kinds: tuple[str, ...], now: datetime) -> None:
    """One change at a time: each is compared with what it takes the place of."""
    for change in rows.every(tx, ChangeState.PROPOSED):
        if set(change.kinds) & set(kinds):
            raise ConflictError(
                f"{change.id} for {', '.join(change.kinds)} is still open",
                code="policy/open-change",
                advice=f"Decide about it first, or `guiderail policy withdraw {change.id}`.",
            )
    policy = recorded(tx, workspace)
    for kind in kinds:
        later = policy.scheduled(kind, now)
        if later is not None:
            raise ConflictError(
                f"{later.change} changes the policy for {kind} on {later.effective_at:%Y-%m-%d}",
                code="policy/scheduled-change",
                advice="Wait for that day, or `guiderail policy withdraw "
                f"{later.change}` and propose again.",
            )


def _refuse_other_base(
    tx: Snapshot, workspace: Workspace, change: PolicyChange, now: datetime
) -> None:
    for kind, digest in change.replaces.items():
        if recorded_pack(tx, workspace, kind, now).digest != digest:
            raise ConflictError(
                f"another policy for {kind} came into force since {change.id} was compared with "
                "the one before",
                code="policy/stale-change",
                advice=f"Withdraw {change.id} and propose it again: it is then compared anew.",
            )


def _refuse_closed(change: PolicyChange) -> None:
    if change.state is not ChangeState.PROPOSED:
        raise ConflictError(
            f"{change.id} is {change.state}; nothing about it is left to decide",
            code="policy/closed-change",
            advice=f"`guiderail policy status {change.id}` shows what happened.",
        )


def _only_role(workspace: Workspace, change: PolicyChange) -> str:
    held = workspace.person.roles
    mine = [role for role in change.open_roles if role in held]
    if len(mine) > 1:
        raise InputError(
            f"you could decide on {change.id} as {' or '.join(mine)}",
            code="review/which-role",
            advice=f"Say which with --role, for example --role {mine[0]}.",
        )
    return mine[0] if mine else (held[0] if held else "")


def _matters(change: PolicyChange, role: str) -> list[Matter]:
    """The change as `authz` sees it, once for each kind that it decides about."""
    return [
        Matter(
            case=change.id,
            kind=kind,
            track=Track.RED,
            submitter=change.author,
            contributors=change.contributors,
            decided=frozenset(vote.person for vote in change.approved_by.values()),
            role=role,
            needed_roles=change.open_roles,
        )
        for kind in change.kinds
    ]


def _authorise(workspace: Workspace, change: PolicyChange, role: str, on: date) -> None:
    for matter in _matters(change, role):
        answer = decide(Action.DECIDE_POLICY, workspace.person, matter, workspace.register, on)
        if not answer.allowed:
            raise RefusedError(
                answer.sentence,
                code=f"authz/{answer.rule}",
                advice=f"`guiderail policy status {change.id}` names who is waited for.",
            )


def _begins(policy: PolicyInForce, change: PolicyChange) -> datetime | None:
    return next((one.effective_at for one in policy.activations if one.change == change.id), None)


def _proposed(change: PolicyChange) -> dict[str, Any]:
    return {
        "change": change.id,
        "pack": change.pack,
        "version": change.version,
        "digest": change.digest,
        "texts_digest": change.texts_digest,
        "kinds": list(change.kinds),
        "replaces": dict(change.replaces),
        "effective_on": change.effective_on.isoformat(),
        "reason": change.reason,
        "needs": list(change.needs),
    }


def _record(
    tx: Transaction,
    workspace: Workspace,
    event: Any,
    change: PolicyChange,
    now: datetime,
    payload: dict[str, Any],
    *,
    outcome: str = "proposed",
    notify: tuple[str, ...] = (),
) -> None:
    record(tx, event, Subject("policy", change.pack, change.digest), workspace.actor, now, payload,
           outcome=outcome, policy=change.digest, notify=notify)  # fmt: skip


def _publish(workspace: Workspace) -> None:
    with workspace.store.read() as snapshot:
        write_in_force(snapshot, workspace)
