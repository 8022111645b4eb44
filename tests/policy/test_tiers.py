"""The tier of a use: what must come out, the limits, and the laws over every combination."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from guiderail.core.scales import Outcome, Tier
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import Value
from guiderail.policy import Pack
from guiderail_verify.evaluate import UNKNOWN, fact_names
from tests.policy.calm import AT, decided

ALL_UNKNOWN = tuple(
    name
    for name in BY_NAME
    if name.startswith("use.") or name in ("data.protected", "data.personal")
)

MUST_COME_OUT: list[tuple[str, Tier, dict[str, Value]]] = [
    (
        "a recommender that affects no purchase decision, whatever its reach",
        Tier.LOW,
        {
            "use.domain": "recommendation",
            "use.affects_people": True,
            "use.customer_facing": True,
            "use.influence": "automated",
            "use.decision": "none",
            "data.personal": True,
        },
    ),
    ("an internal capacity optimiser", Tier.LOW, {"use.decision": "significant"}),
    ("a log anomaly detector", Tier.LOW, {"use.influence": "informs", "use.decision": "minor"}),
    (
        "an A/B-tested feature of small exposure and easy rollback, decision none",
        Tier.LOW,
        {"use.domain": "other", "use.customer_facing": True, "use.decision": "none"},
    ),
    (
        "a pricing suggestion that a person reviews",
        Tier.MEDIUM,
        {"use.domain": "pricing", "use.influence": "recommends", "use.decision": "minor"},
    ),
    (
        "content moderation with human oversight",
        Tier.MEDIUM,
        {
            "use.domain": "moderation",
            "use.influence": "recommends",
            "use.affects_people": True,
            "use.decision": "minor",
        },
    ),
    (
        "a customer-facing feature with a minor decision",
        Tier.MEDIUM,
        {"use.customer_facing": True, "use.influence": "recommends", "use.decision": "minor"},
    ),
    (
        "payslip text extraction for loan files",
        Tier.MEDIUM,
        {
            "use.affects_people": True,
            "data.personal": True,
            "use.influence": "recommends",
            "use.decision": "minor",
        },
    ),
    (
        "automated pricing for businesses",
        Tier.HIGH,
        {"use.domain": "pricing", "use.influence": "automated", "use.decision": "minor"},
    ),
    (
        "automated pricing for consumers",
        Tier.HIGH,
        {"use.domain": "pricing", "use.influence": "automated", "use.customer_facing": True},
    ),
    (
        "a credit score that only informs",
        Tier.HIGH,
        {"use.domain": "credit", "use.influence": "informs"},
    ),
    (
        "a fraud flag to analysts",
        Tier.HIGH,
        {"use.domain": "fraud", "use.influence": "informs", "use.affects_people": True},
    ),
    (
        "CV ranking",
        Tier.HIGH,
        {"use.domain": "employment", "use.influence": "recommends", "use.affects_people": True},
    ),
    ("a loss forecast for regulatory reporting", Tier.HIGH, {"use.regulated": True}),
    ("an unconfirmed profile that is low otherwise", Tier.MEDIUM, {"use.confirmed": False}),
    ("a prohibited use", Tier.PROHIBITED, {"use.prohibited": True}),
]


@pytest.mark.parametrize(
    ("tier", "facts"),
    [(tier, facts) for _, tier, facts in MUST_COME_OUT],
    ids=[name for name, _, _ in MUST_COME_OUT],
)
def test_the_tiers_that_must_come_out(pack: Pack, tier: Tier, facts: dict[str, Value]) -> None:
    assert decided(pack, facts).tier is tier


def test_everything_unknown_is_high_and_blocked_by_the_open_screen(pack: Pack) -> None:
    decision = decided(pack, without=ALL_UNKNOWN)
    assert decision.tier is Tier.HIGH
    assert decision.outcome is Outcome.BLOCKED
    assert decision.tier_reasons[0].rule == "screen-open"


@pytest.mark.parametrize(
    ("rule", "lighter", "heavier"),
    [
        (
            "high-domain",
            {"use.domain": "health", "use.influence": "informs"},
            {"use.domain": "health", "use.influence": "recommends"},
        ),
        (
            "automated-people",
            {"use.affects_people": True, "use.decision": "minor"},
            {"use.affects_people": True, "use.decision": "minor", "use.reversible": False},
        ),
        (
            "automated-people",
            {"use.affects_people": True, "use.decision": "minor"},
            {"use.affects_people": True, "use.decision": "significant"},
        ),
        (
            "automated-money",
            {"use.customer_facing": True, "use.decision": "minor"},
            {"use.customer_facing": True, "use.decision": "minor", "use.exposure": "material"},
        ),
        (
            "discrimination",
            {"use.affects_people": True, "data.protected": True, "use.influence": "informs"},
            {
                "use.affects_people": True,
                "data.protected": True,
                "use.influence": "informs",
                "use.decision": "minor",
            },
        ),
        (
            "exposure",
            {"use.exposure": "large"},
            {"use.exposure": "material", "use.customer_facing": True},
        ),
        (
            "significant",
            {"use.decision": "significant", "use.influence": "informs"},
            {"use.affects_people": True, "use.decision": "significant", "use.influence": "informs"},
        ),
        (
            "automated-minor",
            {"use.affects_people": True},
            {"use.affects_people": True, "use.decision": "minor"},
        ),
        ("protected", {}, {"data.protected": True}),
        (
            "profiling",
            {"data.personal": True, "use.influence": "informs", "use.decision": "minor"},
            {"data.personal": True, "use.influence": "recommends", "use.decision": "minor"},
        ),
    ],
)  # fmt: skip
def test_each_rule_decides_at_its_limit(
    pack: Pack, rule: str, lighter: dict[str, Value], heavier: dict[str, Value]
) -> None:
    assert rule not in {reason.rule for reason in decided(pack, lighter).tier_reasons}
    assert rule in {reason.rule for reason in decided(pack, heavier).tier_reasons}


def test_every_reason_is_listed_heaviest_first(pack: Pack) -> None:
    decision = decided(
        pack, {"use.domain": "credit", "use.regulated": True, "data.protected": True}
    )
    assert [(reason.rule, reason.raises_to) for reason in decision.tier_reasons] == [
        ("high-domain", "high"),
        ("regulated", "high"),
        ("protected", "medium"),
    ]


# Laws over every combination of the tier facts, unknown among them. Domains that no rule tells
# apart stand in for each other.


def representatives(pack: Pack) -> tuple[str, ...]:
    """One domain for each way in which rules treat domains."""
    groups: dict[tuple[bool, ...], str] = {}
    literals = [frozenset(found) for found in _domain_sets(pack.tree["tiers"])]
    for domain in BY_NAME["use.domain"].values:
        groups.setdefault(tuple(domain in one for one in literals), domain)
    return tuple(groups.values())


def _domain_sets(tree: Any) -> list[list[str]]:
    found: list[list[str]] = []
    if isinstance(tree, dict):
        if tree.get("in") == {"fact": "use.domain"}:
            found.append([item["text"] for item in tree["items"]])
        if tree.get("left") == {"fact": "use.domain"}:
            found.append([tree["right"]["text"]])
        for part in tree.values():
            found += _domain_sets(part)
    elif isinstance(tree, list):
        for part in tree:
            found += _domain_sets(part)
    return found


Table = tuple[list[str], list[tuple[Any, ...]], "npt.NDArray[np.int8]"]


@pytest.fixture(scope="module")
def table(pack: Pack) -> Table:
    """The tier for every combination; unknown is the last value of every axis."""
    book = pack.rulebook("model", AT)
    names = sorted(set().union(*(fact_names(rule["when"]) for rule in pack.tree["tiers"])))
    names.remove("use.prohibited")
    axes: list[tuple[Any, ...]] = []
    for name in names:
        kind = BY_NAME[name]
        values: tuple[Any, ...] = (False, True) if kind.type == "bool" else kind.values
        if name == "use.domain":
            values = representatives(pack)
        axes.append((*values, UNKNOWN))
    ranks = np.empty([len(axis) for axis in axes], dtype=np.int8)
    flat = ranks.reshape(-1)
    rules = [(rule.when, rule.rank) for rule in sorted(book.tiers, key=lambda rule: -rule.rank)]
    for index, combination in enumerate(itertools.product(*axes)):
        seen = dict(zip(names, combination, strict=True))
        seen["use.prohibited"] = False
        flat[index] = next(rank for when, rank in rules if when(seen) is not False)
    return names, axes, ranks


def test_unknown_never_lowers_the_tier_below_any_value_it_could_take(table: Table) -> None:
    names, _, ranks = table
    for axis, name in enumerate(names):
        values = np.moveaxis(ranks, axis, 0)
        assert (values[-1] >= values[:-1].max(axis=0)).all(), name


def test_a_riskier_value_never_lowers_the_tier(table: Table) -> None:
    names, _, ranks = table
    checked = 0
    for axis, name in enumerate(names):
        direction = BY_NAME[name].risk_direction
        if direction == "none":
            continue
        values = np.moveaxis(ranks, axis, 0)[:-1]
        steps = np.diff(values if direction == "up" else values[::-1], axis=0)
        assert (steps >= 0).all(), name
        checked += 1
    assert checked >= 8


def test_a_regulated_automated_use_is_always_high(table: Table) -> None:
    names, axes, ranks = table
    regulated, influence = names.index("use.regulated"), names.index("use.influence")
    row: list[Any] = [slice(None)] * len(names)
    row[regulated] = axes[regulated].index(True)
    row[influence] = axes[influence].index("automated")
    assert (ranks[tuple(row)] == Tier.HIGH.rank).all()


def test_anything_regulated_is_high(table: Table) -> None:
    names, axes, ranks = table
    regulated = names.index("use.regulated")
    values = np.moveaxis(ranks, regulated, 0)
    assert (values[axes[regulated].index(True)] == Tier.HIGH.rank).all()


def test_an_unconfirmed_profile_is_never_low(table: Table) -> None:
    names, axes, ranks = table
    confirmed = names.index("use.confirmed")
    values = np.moveaxis(ranks, confirmed, 0)
    assert (values[axes[confirmed].index(False)] >= Tier.MEDIUM.rank).all()
    assert (values[-1] >= Tier.MEDIUM.rank).all()


def test_every_tier_occurs(table: Table) -> None:
    assert set(np.unique(table[2])) == {Tier.LOW.rank, Tier.MEDIUM.rank, Tier.HIGH.rank}


def test_a_question_that_is_skipped_could_not_have_changed_the_tier(
    table: Table, pack: Pack
) -> None:
    names, axes, ranks = table
    checked = 0
    for question in pack.tree["questions"]:
        if question["skip_when"] is None or question["fact"] not in names:
            continue
        asks = sorted(fact_names(question["skip_when"]))
        assert set(asks) <= set(names), question["id"]
        axis = names.index(question["fact"])
        skip = pack.node(question["skip_when"]).run
        for combination in itertools.product(*(axes[names.index(name)] for name in asks)):
            if skip(dict(zip(asks, combination, strict=True))) is not True:
                continue
            row: list[Any] = [slice(None)] * len(names)
            for name, value in zip(asks, combination, strict=True):
                place = [v is value or (v == value and type(v) is type(value)) for v in
                         axes[names.index(name)]].index(True)  # fmt: skip
                row[names.index(name)] = slice(place, place + 1)
            values = np.moveaxis(ranks[tuple(row)], axis, 0)
            assert (values == values[0]).all(), question["id"]
            checked += 1
    assert checked > 10
