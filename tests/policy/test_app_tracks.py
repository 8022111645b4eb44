"""Tier and track of an app: what the change touches, each rule at its limits, and who joins."""

from __future__ import annotations

import pytest

from guiderail.core.scales import Tier, Track, Verdict
from guiderail.facts.fact import Value
from guiderail.policy import Decision
from tests.policy.calm import rules
from tests.policy.calm_kinds import CALM_APP, decided_as

TOUCHES = (
    "touches.authentication",
    "touches.payment",
    "touches.personal_data",
    "touches.decision_code",
    "touches.privileges",
)


def app(
    changes: dict[str, Value] | None = None,
    *,
    without: tuple[str, ...] = (),
    details: dict[str, dict[str, object]] | None = None,
) -> Decision:
    return decided_as("app", changes, without=without, details=details)


def people(decision: Decision) -> set[str]:
    return {need.role for need in decision.reviewers}


def test_a_text_fix_on_a_banks_site_is_low_and_green_and_needs_nobody() -> None:
    decision = app({"use.customer_facing": True, "use.regulated": True, "use.influence": "informs"})
    assert (decision.tier, decision.track, decision.outcome) == (Tier.LOW, Track.GREEN, "go")
    assert decision.reviewers == ()
    (reason,) = decision.track_reasons
    assert reason.sentence == (
        "The change is low risk: no schema migration, no new privilege, no new external "
        "dependency, and nothing that signs people in, moves money, stores personal data or "
        "decides."
    )


TIERS: list[tuple[str, Tier, dict[str, Value]]] = [
    *((name, Tier.HIGH, {name: True}) for name in TOUCHES),
    (
        "customers use the app and the change alters what they can do",
        Tier.MEDIUM,
        {"use.customer_facing": True, "touches.customers": True},
    ),
    ("customers use the app and the change leaves it", Tier.LOW, {"use.customer_facing": True}),
    ("an internal app whose users can do something new", Tier.LOW, {"touches.customers": True}),
    ("an unconfirmed profile", Tier.MEDIUM, {"use.confirmed": False}),
    ("a prohibited use", Tier.PROHIBITED, {"use.prohibited": True}),
]


@pytest.mark.parametrize(
    ("tier", "facts"), [(t, f) for _, t, f in TIERS], ids=[name for name, _, _ in TIERS]
)
def test_the_tier_is_what_the_app_does_and_the_change_touches(
    tier: Tier, facts: dict[str, Value]
) -> None:
    assert app(facts).tier is tier


@pytest.mark.parametrize("name", TOUCHES)
def test_what_may_be_touched_counts_as_touched(name: str) -> None:
    decision = app(without=(name,))
    assert (decision.tier, decision.track) == (Tier.HIGH, Track.RED)
    assert decision.best_case is Track.GREEN


def test_everything_unknown_is_high_red_and_blocked_by_the_open_screen() -> None:
    decision = app(without=tuple(CALM_APP))
    assert (decision.tier, decision.track, decision.outcome) == (
        Tier.HIGH, Track.RED, "blocked",
    )  # fmt: skip


BANDS: list[tuple[str, dict[str, Value], Track, str]] = [
    ("no migration", {"change.schema_migration": "none"}, Track.GREEN, "green"),
    ("reversible", {"change.schema_migration": "reversible"}, Track.YELLOW, "schema-migration"),
    ("irreversible", {"change.schema_migration": "irreversible"}, Track.RED, "schema-migration"),
    ("no new privilege", {"change.new_privileges": 0}, Track.GREEN, "green"),
    ("one new privilege", {"change.new_privileges": 1}, Track.RED, "new-privileges"),
    ("no new dependency", {"change.new_dependencies": 0}, Track.GREEN, "green"),
    ("one new dependency", {"change.new_dependencies": 1}, Track.YELLOW, "new-dependencies"),
    ("no critical finding waived", {"security.waived_critical": 0}, Track.GREEN, "green"),
    ("a critical finding waived", {"security.waived_critical": 1}, Track.RED, "waived-finding"),
    (
        "medium risk",
        {"use.customer_facing": True, "touches.customers": True},
        Track.YELLOW,
        "medium-risk-change",
    ),
    ("high risk", {"touches.payment": True}, Track.RED, "high-risk-change"),
    ("a first release", {"baseline.exists": False}, Track.YELLOW, "first-release"),
    ("a decision rule inside", {"app.hosts_decision": True}, Track.GREEN, "hosts-decision"),
    (
        "regulated and automated",
        {"use.regulated": True, "use.influence": "automated"},
        Track.YELLOW,
        "regulated-automated",
    ),
    (
        "regulated and recommending",
        {"use.regulated": True, "use.influence": "recommends"},
        Track.GREEN,
        "green",
    ),
    ("an open signal", {"monitor.breach": "open"}, Track.YELLOW, "open-breach"),
    ("a lapsed signal", {"monitor.breach": "lapsed"}, Track.RED, "open-breach"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "track", "rule"), [row[1:] for row in BANDS], ids=[row[0] for row in BANDS]
)
def test_bands_are_exactly_as_written(facts: dict[str, Value], track: Track, rule: str) -> None:
    decision = app(facts)
    assert decision.track is track
    assert rules(decision)[rule] == str(track)


DECIDING = (
    "change.schema_migration",
    "change.new_privileges",
    "change.new_dependencies",
    "security.waived_critical",
)


@pytest.mark.parametrize(
    ("name", "track"),
    [
        ("change.schema_migration", Track.RED),
        ("change.new_privileges", Track.RED),
        ("change.new_dependencies", Track.YELLOW),
        ("security.waived_critical", Track.RED),
        ("app.hosts_decision", Track.GREEN),
        ("use.customer_facing", Track.GREEN),
        ("touches.customers", Track.GREEN),
        ("use.regulated", Track.YELLOW),
        ("baseline.exists", Track.YELLOW),
        ("monitor.breach", Track.RED),
    ],
)
def test_an_unknown_fact_counts_as_the_worst_it_could_be(name: str, track: Track) -> None:
    changes: dict[str, Value] = {"use.influence": "automated"} if name == "use.regulated" else {}
    assert app(changes, without=(name,)).track is track


def test_on_a_first_release_there_is_no_migration_to_compare() -> None:
    decision = app({"baseline.exists": False}, without=DECIDING[:3])
    assert list(rules(decision)) == ["first-release"]


def test_a_yellow_release_asks_the_release_manager_and_a_red_one_security_too() -> None:
    assert people(app({"change.new_dependencies": 1})) == {"release-manager"}
    assert people(app({"change.new_privileges": 1})) == {"release-manager", "security"}


@pytest.mark.parametrize(
    ("facts", "joined"),
    [
        ({}, set()),
        ({"change.new_dependencies": 1}, {"ml-platform-engineer"}),
        (
            {"touches.decision_code": True},
            {"ml-platform-engineer", "ml-governance-analyst", "risk-officer"},
        ),
        (
            {"change.new_privileges": 1},
            {"ml-platform-engineer", "ml-governance-analyst", "risk-officer"},
        ),
        (
            {"change.schema_migration": "irreversible"},
            {"ml-platform-engineer", "ml-governance-analyst", "risk-officer"},
        ),
        (
            {"security.waived_critical": 1},
            {"ml-platform-engineer", "ml-governance-analyst", "risk-officer"},
        ),
        (
            {"monitor.breach": "lapsed"},
            {"ml-platform-engineer", "ml-governance-analyst", "risk-officer"},
        ),
    ],
)
def test_those_who_look_at_models_join_where_the_app_decides(
    facts: dict[str, Value], joined: set[str]
) -> None:
    without, with_rule = app(facts), app({**facts, "app.hosts_decision": True})
    assert people(with_rule) - people(without) == joined
    assert with_rule.track is without.track


def test_a_personal_record_in_the_image_fails_and_cannot_be_waived() -> None:
    for waived in (frozenset[str](), frozenset({"personal-data"})):
        decision = decided_as("app", {"image.personal_data": True}, waived=waived)
        gate = next(one for one in decision.gates if one.id == "personal-data")
        assert (gate.verdict, gate.owner, decision.outcome) == (
            Verdict.FAIL, "security", "blocked",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "verdict"), [(4.99, Verdict.PASS), (5.0, Verdict.INSUFFICIENT)]
)
def test_going_back_takes_less_than_five_minutes(minutes: float, verdict: Verdict) -> None:
    decision = app({"rollback.rehearsed_minutes": minutes})
    gate = next(one for one in decision.gates if one.id == "rollback-plan")
    assert gate.verdict is verdict


LOW_GATES = {
    "code-review", "security-scan", "tests", "staging", "personal-data", "rollback-plan",
    "experiment",
}  # fmt: skip


def test_each_tier_enforces_the_gates_that_the_policy_names() -> None:
    def enforced(facts: dict[str, Value]) -> set[str]:
        return {gate.id for gate in app(facts).gates if gate.enforced}

    medium = LOW_GATES | {"rollout-plan"}
    assert enforced({}) == LOW_GATES
    assert enforced({"use.customer_facing": True, "touches.customers": True}) == medium
    assert enforced({"touches.payment": True}) == medium | {"human-oversight"}


def test_overriding_is_asked_for_only_where_something_is_decided() -> None:
    def verdict(facts: dict[str, Value]) -> Verdict:
        facts = {"touches.payment": True, "oversight.tested": False, **facts}
        return next(one for one in app(facts).gates if one.id == "human-oversight").verdict

    assert verdict({}) is Verdict.NOT_APPLICABLE
    assert verdict({"app.hosts_decision": True}) is Verdict.INSUFFICIENT


def test_reasons_quote_numbers_and_names() -> None:
    decision = app(
        {"change.new_privileges": 2},
        details={"change.new_privileges": {"privileges": ["read customers", "send mail"]}},
    )
    (reason,) = [one for one in decision.track_reasons if one.rule == "new-privileges"]
    assert reason.sentence == (
        "The app asks for 2 privileges that the running version does not have: read customers and "
        "send mail."
    )
    unknown = app(without=("change.schema_migration",)).track_reasons[0]
    assert unknown.sentence == (
        "The schema migration is not known (it was not measured); counted as the worst it could "
        "be: a schema migration that cannot be undone."
    )
