"""How long a decision takes: `python bench/bench_decision.py`.

Prints processor time per decision, in microseconds and relative to a calibration loop that is run
in turn with it: a shared machine is faster or slower from one second to the next, the ratio is not.
The facts are those of a release that changes a little and of one of which nothing is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from statistics import median

from guiderail.core.errors import Place
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import FactSet, known
from guiderail.facts.fact import Value as FactValue
from guiderail.policy import Pack, decide, load_pack
from guiderail.policy.pack import make_pack
from guiderail.policy.readings import Readings
from guiderail.policy.vocabulary import COMPUTED
from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import Rulebook

ROUNDS = 60
RULES, FACTS = 40, 80
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


def measure(name: str, work: Callable[[], object], times: int) -> tuple[float, float]:
    """Print and return the quickest of the rounds, in microseconds and relative to a calibration.

    The same work takes the same time; what a round takes longer, other programs took.
    """
    work()
    pairs = [(seconds_each(work, times), seconds_each(calibration, times)) for _ in range(ROUNDS)]
    micros = min(own for own, _ in pairs) * 1e6
    ratio = min(own for own, _ in pairs) / min(other for _, other in pairs)
    print(f"{name:<60} {micros:9.1f} us   {ratio:7.2f} x calibration")
    return micros, ratio


def forty_rules(book: Rulebook) -> Rulebook:
    """The first forty of the tier and track rules, without gates."""
    tracks = book.tracks[: RULES - len(book.tiers)]
    return replace(book, tracks=tracks, gates=())


def eighty_facts(pack: Pack, book: Rulebook) -> tuple[str, ...]:
    """The facts that these rules read, then others of the pack and of the catalogue."""
    wanted = {(rule.id, rule.level) for rule in (*book.tiers, *book.tracks)}
    read = {
        name
        for part in (*pack.tree["tiers"], *pack.tree["tracks"])
        if (part["id"], part["level"]) in wanted
        for name in pack.node(part["when"]).names
    }
    own = [name for name in pack.tree["facts"] if name not in read]
    names = [name for name in (*sorted(read), *own, *BY_NAME) if name not in COMPUTED]
    return tuple(dict.fromkeys(names))[:FACTS]


def values_of(names: Sequence[str], readings: Readings) -> dict[str, Value]:
    """The values of these facts; an interval answers to three names."""
    bounds = ("", ".low", ".high")
    keys = [f"{name}{bound}" for name in names for bound in bounds]
    return {key: readings.values.get(key, UNKNOWN) for key in keys
            if key in readings.values or key in names}  # fmt: skip


def calm_facts() -> FactSet:
    """Every fact known and at its safest, and a version in production that hardly differs."""
    values: dict[str, FactValue] = {}
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

    forty = forty_rules(book)
    names = eighty_facts(pack, forty)
    size = f"{len(forty.tiers) + len(forty.tracks)} rules x {len(names)} facts"
    everything, nothing = values_of(names, calm), values_of(names, blank)
    measure(f"{size}, all known", lambda: forty.judge(everything, calm.known_by), 100)
    measure(f"{size}, all unknown", lambda: forty.judge(nothing, {}), 100)
    measure("tier, track and gates, all known", lambda: book.judge(calm.values, calm.known_by), 100)
    measure("tier, track and gates, all unknown", lambda: book.judge(blank.values, {}), 100)

    explained("", pack, facts)
    budgeted = forty_rules_of(pack, book, names)
    explained(f"{size}, ", budgeted, {name: facts[name] for name in names if name in facts})


def explained(size: str, pack: Pack, facts: FactSet) -> None:
    """Measure whole decisions about a release and three others that are unlike it, and the median.

    facts: of the release that changes little.
    """
    credit = {**facts, "use.domain": known("use.domain", "credit", "bench", KnownBy.DECLARED)}
    moved = Interval(-7.1, -9.0, -5.2)
    worse = {
        **facts,
        "change.performance": known("change.performance", moved, "bench", KnownBy.MEASURED),
    }
    cases: dict[str, FactSet] = {"green": facts, "yellow by performance": worse,
                                 "red by use": credit, "everything unknown": {}}  # fmt: skip
    results = []
    for name, case in cases.items():
        run = partial(decide, pack, case, kind="model", at=AT, place=place)
        results.append(measure(f"{size}explained, {name}", run, 10))
    micros, ratio = (median(figures) for figures in zip(*results, strict=True))
    print(f"{size + 'explained, median':<60} {micros:9.1f} us   {ratio:7.2f} x calibration")


def place(key: str) -> Place:
    return Place("guiderail.yaml")


def forty_rules_of(pack: Pack, book: Rulebook, names: Sequence[str]) -> Pack:
    """A pack of the first forty rules and these facts, without gates, with what is said of them."""
    forty = forty_rules(book)
    wanted = {(rule.id, rule.level) for rule in (*forty.tiers, *forty.tracks)}
    tree = dict(pack.tree)
    for section in ("tiers", "tracks"):
        tree[section] = [p for p in tree[section] if (p["id"], p["level"]) in wanted]
    tree["gates"] = []
    tree["facts"] = {name: tree["facts"][name] for name in names}
    seen = {*names, *COMPUTED}
    tree["advice"] = [p for p in tree["advice"] if seen.issuperset(pack.node(p["when"]).names)]
    tree["questions"] = [
        p for p in tree["questions"]
        if p["fact"] in seen
        and (p["skip_when"] is None or seen.issuperset(pack.node(p["skip_when"]).names))
    ]  # fmt: skip
    return make_pack(tree, pack.texts)


if __name__ == "__main__":
    main()
