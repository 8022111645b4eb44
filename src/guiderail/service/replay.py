"""Recorded decisions asked again: under another pack, or under the pack of their own day."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, select

from guiderail.core.errors import GuiderailError, Place
from guiderail.core.time import from_text, to_text
from guiderail.manifest.load import FILE_NAME
from guiderail.policy.decide import decide
from guiderail.policy.pack import Pack
from guiderail.policy.readings import readings_of
from guiderail.policy.replay import Moved, Replay
from guiderail.policy.weigh import Weight, weigh
from guiderail.render.replay_json import replay_document
from guiderail.review.dossier import Dossier
from guiderail.service.check import parse_day
from guiderail.service.packs import pack_named
from guiderail.service.replay_parts import packs_of, replay_parts, review_hours_of
from guiderail.service.snapshot import facts_from_json
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot

EXPLAINED: Final = 20
"""Changed decisions whose reason is told in a sentence: nobody reads more, and it takes time."""

_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay with the pack that was asked.

    moved: changed decisions, each with the reason in words; empty after the first ones. Incidents
    come first, then what gets lighter. hours: per reviewer and track, as the pack says.
    skipped: decisions about kinds of workload that the pack does not decide about.
    """

    pack: Pack
    since: datetime | None
    result: Replay
    moved: tuple[tuple[Moved, str], ...]
    hours: Mapping[str, float]
    skipped: int


def replay_recorded(
    workspace: Workspace, name: str, *, since: datetime | None, every: bool
) -> Replayed:
    """Ask the pack of that name about every recorded decision since a moment."""
    return replay_pack(workspace, pack_named(name, workspace), since=since, every=every)


def replay_pack(
    workspace: Workspace, pack: Pack, *, since: datetime | None, every: bool = False
) -> Replayed:
    """Ask a pack about every recorded decision since a moment.

    every: also decisions that a later one of the same case replaced.
    """
    found = replay_parts(workspace, pack, since, every)
    listed = sorted(
        found.result.moved,
        key=lambda one: (not one.decided.incident, one.heavier, one.decided.case),
    )
    with workspace.store.read() as snapshot:
        moved = tuple(
            (one, _because(snapshot, pack, one) if index < EXPLAINED else "")
            for index, one in enumerate(listed)
        )
    return Replayed(pack, since, found.result, moved, review_hours_of(pack), found.skipped)


def _because(tx: Snapshot, pack: Pack, moved: Moved) -> str:
    """One sentence why the decision would be another one."""
    if not moved.heavier:
        gone = ", ".join(moved.only_old) or "a gate"
        return f"{gone} would not ask for it any more"
    if not pack.texts["parts"]:
        return f"{', '.join(moved.only_new) or 'the same rules'} would ask for it"
    decided = moved.decided
    facts = tx.execute(
        select(tables.dossier.c.facts).where(tables.dossier.c.digest == decided.dossier)
    ).scalar_one()
    start = max(decided.day, str(pack.tree["effective_from"]))
    decision = decide(
        pack,
        facts_from_json(json.loads(column_bytes(facts))),
        kind=decided.kind,
        at=from_text(f"{start}T00:00:00Z"),
        place=lambda _: Place(FILE_NAME),
    )
    gates = [(gate.id, gate.sentence) for gate in decision.gates if gate.enforced]
    rules = [(reason.rule, reason.sentence)
             for reason in (*decision.track_reasons, *decision.tier_reasons)]  # fmt: skip
    told = [text for part, text in (*rules, *gates) if part in moved.only_new]
    return told[0] if told else f"{', '.join(moved.only_new) or 'the same rules'} would ask for it"


@dataclass(frozen=True, slots=True)
class Deviation:
    """A recorded decision that its own facts and its own pack do not give."""

    case: str
    dossier: str
    sentence: str


def replay_as_decided(
    workspace: Workspace, *, since: datetime | None
) -> tuple[int, list[Deviation]]:
    """Decide every recorded decision again, under the pack of its day, from the stored bytes.

    Gives how many were looked at, and those that differ: somebody changed the store, or this
    version of Guiderail decides otherwise.
    """
    query = (
        select(tables.dossier, tables.case_record.c.kind)
        .join(tables.case_record, tables.case_record.c.id == tables.dossier.c.case_id)
        .order_by(tables.case_record.c.number, tables.dossier.c.created_at)
        .execution_options(yield_per=_BATCH)
    )
    if since is not None:
        query = query.where(tables.dossier.c.created_at >= to_text(since))
    n, found = 0, []
    with workspace.store.read() as snapshot:
        packs = packs_of(snapshot)
        for row in snapshot.execute(query).mappings():
            n += 1
            sentence = _deviation(row, packs)
            if sentence:
                found.append(Deviation(row["case_id"], row["digest"], sentence))
    return n, found


def _deviation(row: RowMapping, packs: Callable[[str], Pack]) -> str:
    try:
        dossier = Dossier.from_columns(row)
        pack = packs(dossier.pack_digest)
        weight = _weight(dossier, pack, row["kind"], from_text(row["created_at"]))
        recorded = _recorded(dossier.decision)
    except (GuiderailError, ValueError, KeyError, TypeError) as error:
        return error.what if isinstance(error, GuiderailError) else f"it cannot be read ({error})"
    differs = [name for name, value in _named(weight).items() if recorded[name] != value]
    if not differs:
        return ""
    told = ", ".join(f"{name} {recorded[name]} is recorded, {_named(weight)[name]} is what the "
                     "facts give" for name in differs)  # fmt: skip
    return f"{told}."


def _weight(dossier: Dossier, pack: Pack, kind: str, at: datetime) -> Weight:
    readings = readings_of(facts_from_json(dossier.facts), pack.tree["facts"])
    return weigh(pack, pack.rulebook(kind, at).judge(readings.values, readings.known_by))


def _named(weight: Weight) -> dict[str, str]:
    return {
        "tier": weight.tier_name,
        "track": weight.track_name,
        "outcome": weight.outcome.value,
        "reviewers": ", ".join(sorted(weight.roles)) or "nobody",
        "open gates": ", ".join(f"{gate} {verdict}" for gate, verdict in sorted(weight.gates))
        or "none",
    }


def _recorded(decision: Mapping[str, Any]) -> dict[str, str]:
    held = sorted(
        (gate["id"], gate["verdict"])
        for gate in decision["gates"]
        if gate["enforced"] and gate["verdict"] in ("fail", "insufficient")
    )
    return {
        "tier": decision["tier"]["value"],
        "track": decision["track"]["value"],
        "outcome": decision["outcome"],
        "reviewers": ", ".join(sorted(need["role"] for need in decision["reviewers"])) or "nobody",
        "open gates": ", ".join(f"{gate} {verdict}" for gate, verdict in held) or "none",
    }


def replay_document_of(
    workspace: Workspace, name: str, *, since: str | None, every: bool
) -> dict[str, Any]:
    """`guiderail policy replay PACK`, as JSON. Raises InputError for a date that is none."""
    replayed = replay_recorded(workspace, name, since=_first_moment(since), every=every)
    return replayed_document(replayed, since)


def replayed_document(replayed: Replayed, since: str | None) -> dict[str, Any]:
    """A replay as JSON. since: the day as it was asked for."""
    return replay_document(
        replayed.pack, since, replayed.result, replayed.moved, replayed.hours, replayed.skipped
    )


def as_decided_document(workspace: Workspace, *, since: str | None) -> dict[str, Any]:
    """`guiderail policy replay --as-decided`, as JSON."""
    n, deviations = replay_as_decided(workspace, since=_first_moment(since))
    return {"n": n, "since": since, "deviating": [asdict(one) for one in deviations]}


def _first_moment(text: str | None) -> datetime | None:
    """The beginning of a day, or a moment as it is written."""
    if text is None:
        return None
    moment = parse_day(text)
    if "T" in text or " " in text:
        return moment
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
