"""Recorded decisions, replayed part by part, by several processes where there are many.

A part is a range of case numbers. Every process reads the database on its own; a case is asked
about by one of them only. What one process cannot do, this one does.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, func, select

from guiderail.core.processors import usable_processors
from guiderail.core.time import to_text
from guiderail.policy.pack import Pack, make_pack
from guiderail.policy.replay import Decided, Replay, Replayer
from guiderail.service.incidents import incidents
from guiderail.service.packs import pack_that_decided
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.database import Store
from guiderail.store.prepared import Prepared
from guiderail.store.transaction import Snapshot

FEW: Final = 8_000
"""Up to so many cases, starting another process takes longer than it saves."""

_PART: Final = 1_000
_MOST_PROCESSES: Final = 4


class Part(NamedTuple):
    """Cases with a number from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(slots=True)
class Found:
    """What replaying found. skipped: decisions about kinds that the pack does not decide about."""

    result: Replay
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked: a pack, about decisions since a moment.

    every: also about decisions that a later one of the same case replaced.
    """

    tree: Mapping[str, Any]
    texts: Mapping[str, Any]
    since: datetime | None
    every: bool

    @classmethod
    def about(cls, pack: Pack, since: datetime | None, every: bool) -> Asking:
        return cls(pack.tree, pack.texts, since, every)


def review_hours_of(pack: Pack) -> dict[str, float]:
    """Per track, what one reviewer spends on a release, as the pack says."""
    return {track: float(text) for track, text in pack.texts.get("review_hours", {}).items()}


def replay_parts(
    workspace: Workspace, pack: Pack, since: datetime | None, every: bool, *, few: int = FEW
) -> Found:
    """Ask a pack about all recorded decisions since a moment. few: as `FEW`."""
    asking = Asking.about(pack, since, every)
    with workspace.store.read() as snapshot:
        here = _Recorded(snapshot, asking, pack)
        parts = _parts(snapshot)
        helpers = min(usable_processors(), _MOST_PROCESSES) - 1
        if not helpers or len(parts) * _PART <= few:
            return _joined([here.replay(part) for part in parts])
        return _joined(_shared(workspace.home, asking, here, parts, helpers))


def packs_of(snapshot: Snapshot) -> Callable[[str], Pack]:
    """Gives the pack of a digest; each is read once."""

    @lru_cache(maxsize=64)
    def by_digest(digest: str) -> Pack:
        return pack_that_decided(snapshot, digest)

    return by_digest


class _Recorded:
    """The recorded decisions of one snapshot and the pack that is asked about them."""

    def __init__(self, snapshot: Snapshot, asking: Asking, pack: Pack) -> None:
        self._snapshot, self._kinds = snapshot, frozenset(pack.kinds)
        self._since = {} if asking.since is None else {"since": to_text(asking.since)}
        self._happened = incidents(snapshot)
        self._query = _query(asking)
        self._replayer = Replayer(pack, packs_of(snapshot), review_hours_of(pack))

    def replay(self, part: Part) -> Found:
        found = Found(Replay())
        found.result = self._replayer.replay(self._decisions(part, found))
        return found

    def _decisions(self, part: Part, found: Found) -> Iterator[Decided]:
        happened, kinds = self._happened, self._kinds
        rows = self._snapshot.run(self._query, {**part._asdict(), **self._since})
        for case, facts, pack, at, workload, kind, tier, track, version, digest, *decision in rows:
            if kind not in kinds:
                found.skipped += 1
                continue
            if decision:
                decided = json.loads(decision[0])
                tier, track = decided["tier"]["value"], decided["track"]["value"]
            yield Decided(
                case, workload, version or "", kind, at[:10], facts, pack, tier, track,
                happened.get(case, ""), digest,
            )  # fmt: skip


def _query(asking: Asking) -> Prepared:
    dossier, case, release = tables.dossier, tables.case_record, tables.release_record
    query = (
        select(
            dossier.c.case_id,
            dossier.c.facts,
            dossier.c.pack_digest,
            dossier.c.created_at,
            case.c.workload,
            case.c.kind,
            case.c.tier,
            case.c.track,
            release.c.version,
            dossier.c.digest,
            *((dossier.c.decision,) if asking.every else ()),
        )
        .join(case, case.c.id == dossier.c.case_id)
        .join(release, release.c.digest == dossier.c.release_digest, isouter=True)
        .where(case.c.number.between(bindparam("first"), bindparam("last")))
        .order_by(case.c.number, dossier.c.created_at)
    )
    if not asking.every:
        query = query.where(dossier.c.digest == case.c.dossier_digest)
    if asking.since is not None:
        query = query.where(dossier.c.created_at >= bindparam("since"))
    return Prepared(query)


def _parts(snapshot: Snapshot) -> list[Part]:
    number = tables.case_record.c.number
    first, last = snapshot.execute(select(func.min(number), func.max(number))).one()
    if first is None:
        return []
    return [Part(begin, min(begin + _PART - 1, last)) for begin in range(first, last + 1, _PART)]


def _joined(those: list[Found]) -> Found:
    all_ = Found(Replay())
    for found in those:
        all_.result.add(found.result)
        all_.skipped += found.skipped
    return all_


# --- Several processes --------------------------------------------------------------------------


def _shared(
    home: Path, asking: Asking, here: _Recorded, parts: list[Part], helpers: int
) -> list[Found]:
    """Helpers work from the first part on, this process from the last one, until they meet."""
    with ProcessPoolExecutor(
        helpers, multiprocessing.get_context("spawn"), _begin, (home, asking)
    ) as pool:
        try:
            asked = [pool.submit(_replay_part, part) for part in parts]
        except (BrokenProcessPool, OSError):  # no process can be started here
            return [here.replay(part) for part in parts]
        try:
            mine = {part: here.replay(part)
                    for part, future in zip(reversed(parts), reversed(asked), strict=True)
                    if future.cancel()}  # fmt: skip
            return [mine.get(part) or _answer(future, part, here)
                    for part, future in zip(parts, asked, strict=True)]  # fmt: skip
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _answer(future: Future[Found], part: Part, here: _Recorded) -> Found:
    try:
        return future.result()
    except BrokenProcessPool:  # it was ended from outside, for want of memory for example
        return here.replay(part)


_open = ExitStack()
"""What a helper keeps open until it ends."""

_recorded: list[_Recorded] = []
"""In a helper, the decisions that it reads; empty elsewhere."""


def _begin(home: Path, asking: Asking) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it ends it
    store = _open.enter_context(Store.open(home))
    snapshot = _open.enter_context(store.read())
    _recorded.append(_Recorded(snapshot, asking, make_pack(asking.tree, asking.texts)))


def _replay_part(part: Part) -> Found:
    return _recorded[0].replay(part)
