"""A pack small enough that every set of changes to a release can be tried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from guiderail.core.interval import Interval
from guiderail.facts.fact import Unknown, Value
from guiderail.policy import Pack, load_pack_directory

PAGE = "page: {what: A., why: B., good: C., fix: D., tools: [none]}\n"
GATES = {
    "tests": ("tests.ran > 0 && tests.failed == 0", "tests.failed > 0"),
    "cost": ("cost.monthly.high <= cost.ceiling", "cost.monthly.low > cost.ceiling"),
}
TRACKS = {
    "new-and-removed": ("yellow", "change.new_features > 0 && change.removed_features > 0"),
    "removed-and-rebuilt": ("yellow", "change.removed_features > 0 && change.architecture"),
    "rebuilt-alone": (
        "yellow",
        "change.architecture && change.removed_features == 0 && change.new_features == 0",
    ),
    "many": (
        "red",
        'change.new_features >= 3 || (change.architecture && change.threshold == "outside")',
    ),
    "worse": ("yellow", "change.performance.low <= -5 || change.performance.high >= 5"),
    "much-worse": ("red", "change.performance.low < -15 && change.performance <= -5"),
    "risky": ("red", 'tier >= "high"'),
    "weak": ("yellow", "evidence.weak"),
}
TIERS = {
    "protected-use": ("high", 'data.protected && (!use.confirmed || use.exposure >= "large")'),
    "unconfirmed": ("medium", "!use.confirmed"),
}

OPEN = Unknown("it was not measured")
VALUES: Mapping[str, tuple[Value, ...]] = {
    "change.new_features": (0, 1, 2, 3, 5, OPEN),
    "change.removed_features": (0, 1, OPEN),
    "change.architecture": (False, True, OPEN),
    "change.threshold": ("unchanged", "inside", "outside", OPEN),
    "change.performance": (
        Interval(0.0, 0.0, 0.0),
        Interval(0.0, -1.0, 1.0),
        Interval(-2.0, -6.0, 2.0),
        Interval(-7.0, -9.0, -5.5),
        Interval(-20.0, -25.0, -15.5),
        OPEN,
    ),
    "data.protected": (False, True, OPEN),
    "use.confirmed": (False, True, OPEN),
    "use.exposure": ("small", "large", OPEN),
    "tests.ran": (0, 4, OPEN),
    "tests.failed": (0, 2, OPEN),
    "cost.monthly": (Interval(5.0, 5.0, 5.0), Interval(30.0, 10.0, 50.0), OPEN),
    "cost.ceiling": (20.0, 60.0, OPEN),
}
"""Values of releases; those without an interval are also what a fact may become."""


def write(folder: Path) -> Pack:
    """Write the pack into a directory and read it."""
    _file(folder, "pack", "id: small\nversion: '1'\ntitle: Small\nowner: risk-officer\n"
          "effective_from: '2026-11-01'\nkinds: [model]\nminimum_known_by: {change: measured}\n"
          "reviewers: {green: [], yellow: [risk-officer], red: [risk-officer]}\n"
          "targets_hours: {green: 0, yellow: 3, red: 24}\n"
          "expected_wait: {green: no time, yellow: some hours, red: some days}\n"
          "roles: {risk-officer: Risk Officer}\n")  # fmt: skip
    for section, rules in (("tiers", TIERS), ("tracks", TRACKS)):
        for name, (level, when) in rules.items():
            _file(folder, f"{section}/{name}", _rule(name, level, when))
    _file(folder, "tiers/low", _rule("low", "low", "true"))
    _file(folder, "tracks/green", _rule("green", "green", "true"))
    for name, (passes, fails) in GATES.items():
        _file(folder, f"gates/{name}", _gate(name, passes, fails))
    return load_pack_directory(folder)


def _rule(name: str, level: str, when: str) -> str:
    return (
        f"id: {name}\ntitle: {name}\nowner: risk-officer\nsince: '2026-11-01'\n"
        f"raises_to: {level}\nwhen: |-\n  {when}\nsentence: It counts.\nworst: the worst\n"
        f"by: design\nto_lighten: Change what {name} asks about.\n{PAGE}"
    )


def _gate(name: str, passes: str, fails: str) -> str:
    known = {
        "tests": ("{tests.ran: 1, tests.failed: 0}", "{tests.ran: 1, tests.failed: 1}"),
        "cost": (
            "{cost.monthly: {value: 1, low: 1, high: 1}, cost.ceiling: 2}",
            "{cost.monthly: {value: 3, low: 3, high: 3}, cost.ceiling: 2}",
        ),
    }[name]
    return (
        f"id: {name}\ntitle: {name}\nowner: risk-officer\nsince: '2026-11-01'\n"
        f"kinds: {{model: enforced}}\nfrom_tier: {'low' if name == 'tests' else 'medium'}\n"
        f"pass_when: |-\n  {passes}\nfail_when: |-\n  {fails}\nwaivable_by: [risk-officer]\n"
        "sentences: {pass: Good., fail: Bad., insufficient: Open.}\n"
        f"do: {{fail: Mend it., insufficient: Find out about {name}.}}\n{PAGE}examples:\n"
        f"  - {{name: good, verdict: pass, facts: {known[0]}}}\n"
        f"  - {{name: bad, verdict: fail, facts: {known[1]}}}\n"
        "  - {name: open, verdict: insufficient, facts: {}}\n"
    )


def _file(folder: Path, name: str, text: str) -> None:
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
