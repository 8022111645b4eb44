"""How long a decision takes: `python bench/bench_decision.py`.

Prints processor time per decision, in microseconds and relative to a calibration loop that is run
in turn with it: a shared machine is faster or slower from one second to the next, the ratio is not.
The facts are those of a release that changes a little and of one of which nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from guiderail.core.errors import Place
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import FactSet, Value, known
from guiderail.policy import decide, load_pack
from guiderail_verify.judge import Rulebook

ROUNDS = 9
AT = datetime(2026, 11, 23, tzinfo=UTC)


def calibration() -> int:
    """A fixed piece of work in plain Python, about as long as one decision."""
    total = 0
    for number in range(200):
        total += number & 3
    return total


def seconds_each(work: Callable[[], object], times: int) -> float:
    before = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - before) / times


def measure(name: str, work: Callable[[], object], times: int) -> None:
    """The median over rounds of the time and of its ratio to the calibration."""
    work()
    pairs = [(seconds_each(work, times), seconds_each(calibration, times)) for _ in range(ROUNDS)]
    micros = sorted(own * 1e6 for own, _ in pairs)[ROUNDS // 2]
    ratio = sorted(own / other for own, other in pairs)[ROUNDS // 2]
    print(f"{name:<52} {micros:9.1f} us   {ratio:7.2f} x calibration")


def forty_rules(book: Rulebook) -> Rulebook:
    """The tier and track rules alone, without the two that are always true."""
    tiers = tuple(rule for rule in book.tiers if rule.id != "low")
    tracks = tuple(rule for rule in book.tracks if rule.id != "green")
    return replace(book, tiers=tiers, tracks=tracks, gates=())


def calm_facts() -> FactSet:
    """Every fact known and at its safest, and a version in production that hardly differs."""
    values: dict[str, Value] = {}
    for name, kind in BY_NAME.items():
        down = kind.risk_direction == "down"
        match kind.type:
            case "bool":
                values[name] = down
            case "integer":
                values[name] = 10 if down else 0
            case "number":
                values[name] = 100.0 if down else 0.0
            case "interval":
                values[name] = Interval(0.1, 0.0, 0.2) if not down else Interval(1.0, 0.9, 1.1)
            case "enum":
                values[name] = kind.values[-1 if down else 0]
            case "set":
                values[name] = ()
            case "text":
                values[name] = "text"
    values |= {"baseline.exists": True, "lineage.sources": 1, "cost.ceiling": 400.0}
    return {name: known(name, value, "bench", KnownBy.ATTESTED) for name, value in values.items()}


def main() -> None:
    pack = load_pack("model")
    book = pack.rulebook("model", AT)
    facts = calm_facts()
    calm = pack.readings(facts)
    blank = pack.readings({})
    rules = len(book.tiers) + len(book.tracks)
    size = f"{rules} rules, {len(book.gates)} gates, {len(pack.tree['facts'])} facts"
    print(f"pack {pack.id} {pack.version}: {size}")

    every = (*book.tiers, *book.tracks)
    seen = book.judge(calm.values, calm.known_by).values
    open_values = book.judge(blank.values, blank.known_by).values
    measure("rules only, all known", lambda: [rule.when(seen) for rule in every], 2000)
    measure("rules only, all unknown", lambda: [rule.when(open_values) for rule in every], 2000)
    measure(
        "tier, track and gates, all known", lambda: book.judge(calm.values, calm.known_by), 2000
    )
    measure("tier, track and gates, all unknown", lambda: book.judge(blank.values, {}), 2000)

    def place(key: str) -> Place:
        return Place("guiderail.yaml")

    credit = dict(facts) | {"use.domain": known("use.domain", "credit", "bench", KnownBy.DECLARED)}
    moved = Interval(-7.1, -9.0, -5.2)
    worse = dict(facts) | {
        "change.performance": known("change.performance", moved, "bench", KnownBy.MEASURED)
    }
    for name, case in (("green", facts), ("yellow by performance", worse),
                       ("red by use", credit), ("everything unknown", {})):  # fmt: skip
        run = partial(decide, pack, case, kind="model", at=AT, place=place)
        measure(f"decision with explanation, {name}", run, 200)


if __name__ == "__main__":
    main()
