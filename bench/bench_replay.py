"""How long a replay takes: `python bench/bench_replay.py [DECISIONS]`, 100,000 without a number.

Makes recorded decisions as they are stored: facts with source, provenance and detail, a third of
them of releases that change a little, each decided by the shipped pack. Then it prints

- facts in memory as they are stored, under the pack of the day and another one,
- the same from a SQLite store in a new workspace, as `guiderail policy replay` does it,

as processor time in seconds of all processes, relative to a calibration loop that is run before
and after it (a shared machine is faster or slower from one minute to the next, the ratio is not),
and as time on the clock, which is what a person waits. Many decisions in a store are read by as
many processes as there are processors, so the clock shows less there where those are free.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from bench_decision import calibration, calm_facts, seconds_each
from guiderail.core.digest import canonical_json, json_digest
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.core.time import to_text
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import Fact, FactSet, Unknown
from guiderail.policy import load_pack
from guiderail.policy.pack import Pack, make_pack
from guiderail.policy.readings import readings_of
from guiderail.policy.replay import Decided, Replayer
from guiderail.policy.weigh import weigh
from guiderail.service.records import store_pack
from guiderail.service.replay import replay_document_of
from guiderail.service.set_up import create
from guiderail.service.snapshot import facts_to_json
from guiderail.service.workspace import Workspace
from guiderail.store import tables

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
CHUNK = 500
HOURS = {"green": 0.0, "yellow": 0.5, "red": 4.0}


def varied(calm: FactSet, chance: random.Random) -> FactSet:
    """A release: some measurements of its own, now and then something larger or unknown."""
    facts = dict(calm)

    def put(name: str, value: Any) -> None:
        facts[name] = Fact(name, value, "both versions on the same frozen data",
                           KnownBy.MEASURED, {"rows": 4000, "method": "paired"})  # fmt: skip

    for name in ("change.performance", "since_review.performance", "since_full_review.performance"):
        middle = chance.gauss(0, 3)
        put(name, Interval(middle, middle - 1.5, middle + 1.5))
    put("change.flips", Interval(3.0, chance.uniform(0, 2.4), 4.0))
    put("security.age_days", round(chance.uniform(0, 8), 2))
    if chance.random() < 0.1:
        put("use.domain", chance.choice(["credit", "pricing", "fraud"]))
    if chance.random() < 0.1:
        put("change.new_features", chance.randrange(1, 4))
    if chance.random() < 0.1:
        put("evaluation.labels", Unknown("there are no labels yet"))
    return facts


def records(pack: Pack, count: int) -> Iterator[tuple[Decided, bytes]]:
    """Decisions without their facts, and those as the bytes that are stored."""
    chance = random.Random(7)
    calm = {name: fact for name, fact in calm_facts().items()
            if name != "evidence.weak" and "model" in BY_NAME[name].kinds}  # fmt: skip
    book = pack.rulebook("model", START)
    for number in range(count):
        facts = varied(calm, chance)
        readings = readings_of(facts, pack.tree["facts"])
        weight = weigh(pack, book.judge(readings.values, readings.known_by))
        stored = canonical_json(facts_to_json(facts))
        day = (START + timedelta(minutes=number)).date().isoformat()
        yield Decided(f"case-{number + 1:06d}", "bench", f"v{number}", "model", day,
                      b"", pack.digest, weight.tier_name,
                      weight.track_name), stored  # fmt: skip


def other(pack: Pack) -> Pack:
    """The same pack with another band in one rule."""
    text = json.dumps(pack.tree).replace('"number": "-5"', '"number": "-4"')
    return make_pack(json.loads(text), pack.texts)


@dataclass(slots=True)
class Timer:
    """Processor time of a work without what `unless` spends, and of the calibration beside it."""

    excluded: float = 0.0
    excluded_wall: float = 0.0

    def unless(self, rows: Iterator[Any]) -> Iterator[Any]:
        """The same rows; the time that producing them takes is not counted."""
        while True:
            before, wall = time.process_time(), time.perf_counter()
            row = next(rows, None)
            self.excluded += time.process_time() - before
            self.excluded_wall += time.perf_counter() - wall
            if row is None:
                return
            yield row

    def run(self, name: str, count: int, work: Callable[[], Any]) -> Any:
        unit = median(seconds_each(calibration, 2000) for _ in range(5))
        before, wall = processor_time(), time.perf_counter()
        result = work()
        spent = processor_time() - before - self.excluded
        waited = time.perf_counter() - wall - self.excluded_wall
        unit = (unit + median(seconds_each(calibration, 2000) for _ in range(5))) / 2
        each = spent / count
        print(
            f"{name:<26}{waited:7.2f} s on the clock {spent:7.2f} s of processors "
            f"{each * 1e6:7.1f} us each {each / unit:7.2f} x calibration"
        )
        return result


def processor_time() -> float:
    """Seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def start_store(folder: Path, pack: Pack) -> Workspace:
    """A workspace that knows the pack and one workload."""
    workspace = create(folder, demo=True, people="people: []\n", features="features: []\n")
    with workspace.store.transaction() as tx:
        tx.execute(
            insert(tables.workload).values(name="bench", kind="model", created_at=to_text(START))
        )
        store_pack(tx, pack)
    return workspace


def keep(workspace: Workspace, rows: list[tuple[Decided, bytes]]) -> None:
    """One case with one dossier per decision."""
    at, cases, dossiers = to_text(START), [], []
    for one, stored in rows:
        digest = json_digest({"bench": one.case})
        cases.append(
            {"id": one.case, "number": int(one.case[5:]), "workload": "bench", "kind": "model",
             "release_digest": digest, "dossier_digest": digest, "state": "live",
             "submitter": "bench", "track": one.track, "tier": one.tier, "source_dir": "",
             "created_at": at, "updated_at": at}
        )  # fmt: skip
        dossiers.append(
            {"digest": digest, "case_id": one.case, "release_digest": digest, "facts": stored,
             "answers": b"{}", "pack_digest": one.pack, "decision": b"{}",
             "created_at": f"{one.day}T09:00:00.000000Z"}
        )  # fmt: skip
    with workspace.store.transaction() as tx:
        tx.execute(insert(tables.case_record), cases)
        tx.execute(insert(tables.dossier), dossiers)


def kept(
    workspace: Workspace, produced: Iterator[tuple[Decided, bytes]], sizes: list[int]
) -> Iterator[Decided]:
    """The decisions, which are written to the store in batches on the way."""
    while rows := list(itertools.islice(produced, CHUNK)):
        keep(workspace, rows)
        sizes.append(sum(len(stored) for _, stored in rows))
        for decided, stored in rows:
            yield decided._replace(facts=stored)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    pack = load_pack("model")
    sizes: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = start_store(Path(folder), pack)
        timer = Timer()
        produced = timer.unless(kept(workspace, records(pack, count), sizes))
        result = timer.run("facts in memory", count, lambda: Replayer(
            other(pack), lambda _: pack, HOURS).replay(produced))  # fmt: skip
        print(f"  {len(result.moved):,} would be different: {result.by_transition}")
        document = Timer().run("from the store (SQLite)", count, lambda: replay_document_of(
            workspace, "model", since=None, every=False))  # fmt: skip
        assert (document["n"], document["changed"], document["deviating"]) == (count, 0, [])
        print(f"  {count:,} decisions, {sum(sizes) / count:,.0f} bytes of facts each")
        workspace.store.close()


if __name__ == "__main__":
    main()
