"""What went wrong with releases after they were decided: taken back, aborted, or a signal."""

from __future__ import annotations

from bisect import bisect_right

from sqlalchemy import select

from guiderail.review.states import State
from guiderail.rollout.steps import RolloutState
from guiderail.store import tables
from guiderail.store.transaction import Snapshot


def incidents(tx: Snapshot) -> dict[str, str]:
    """Case -> what happened, in words. Cases to which nothing happened are not in it.

    An incident is a release that was live and taken back, whose rollout was aborted (by the breaker
    or by a person), or for which a monitor opened a signal while it was live.
    """
    found = _aborted(tx)
    for case, day in _taken_back(tx).items():
        found[case] = f"it was taken back on {day}"
    for case, kind, day in _signals(tx):
        found.setdefault(case, f"a signal ({kind}) was opened about it on {day}")
    return found


def _aborted(tx: Snapshot) -> dict[str, str]:
    table = tables.case_record
    rows = tx.execute(
        select(table.c.id, table.c.updated_at).where(table.c.state == State.ABORTED.value)
    )
    return {case: f"its rollout was aborted on {at[:10]}" for case, at in rows}


def _taken_back(tx: Snapshot) -> dict[str, str]:
    """Cases whose release was left by a rollback that ended, with the first day of that."""
    table = tables.rollout
    rows = tx.execute(
        select(table.c.case_id, table.c.updated_at)
        .where(table.c.kind == "rollback")
        .where(table.c.state == RolloutState.LIVE.value)
        .where(table.c.from_digest.is_not(None))
        .order_by(table.c.updated_at.desc())
    )
    return {case: at[:10] for case, at in rows if case is not None}


def _signals(tx: Snapshot) -> list[tuple[str, str, str]]:
    """Case, kind and day of every signal, for the release that was live when it was opened."""
    live = _live_since(tx)
    rows = tx.execute(
        select(
            tables.watch_signal.c.workload,
            tables.watch_signal.c.kind,
            tables.watch_signal.c.opened_at,
        ).order_by(tables.watch_signal.c.opened_at)
    )
    found: list[tuple[str, str, str]] = []
    for workload, kind, opened in rows:
        turns = live.get(workload, [])
        before = bisect_right([moment for moment, _ in turns], opened)
        case = turns[before - 1][1] if before else None
        if case is not None:
            found.append((case, kind, opened[:10]))
    return found


def _live_since(tx: Snapshot) -> dict[str, list[tuple[str, str | None]]]:
    """For each workload from when on which case was live; None after it was switched off."""
    cases = {
        (workload, digest): case
        for workload, digest, case in tx.execute(
            select(
                tables.case_record.c.workload,
                tables.case_record.c.release_digest,
                tables.case_record.c.id,
            ).order_by(tables.case_record.c.number)
        )
    }
    rows = tx.execute(
        select(
            tables.rollout.c.workload,
            tables.rollout.c.to_digest,
            tables.rollout.c.case_id,
            tables.rollout.c.kind,
            tables.rollout.c.updated_at,
        )
        .where(tables.rollout.c.state == RolloutState.LIVE.value)
        .order_by(tables.rollout.c.updated_at)
    )
    live: dict[str, list[tuple[str, str | None]]] = {}
    for workload, digest, case, kind, at in rows:
        running = case if kind == "deploy" else cases.get((workload, digest))
        live.setdefault(workload, []).append((at, running))
    return live
