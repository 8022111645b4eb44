"""The whole decision: outcome, people, waiting time, findings, waivers, and the way to lighter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from guiderail.core.errors import Place, RefusedError
from guiderail.core.interval import Interval
from guiderail.core.messages import Severity
from guiderail.core.scales import KnownBy, Outcome, Tier, Track, Verdict
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import Fact, Unknown, Value
from guiderail.policy import Pack, decide
from guiderail.policy.people import review_sentence
from tests.policy.calm import AT, CALM, HIGH_GATES, decided, facts_of, rules, where

EVERYTHING = tuple(name for name in BY_NAME if name != "evidence.weak")
WORSE: dict[str, Value] = {"change.performance": Interval(-7.1, -9.0, -5.2)}


def test_a_calm_release_goes_by_itself(pack: Pack) -> None:
    decision = decided(pack)
    assert (decision.outcome, decision.tier, decision.track, decision.best_case) == (
        Outcome.GO,
        Tier.LOW,
        Track.GREEN,
        Track.GREEN,
    )
    assert decision.reviewers == ()
    assert decision.lighter == ()
    assert decision.unanswered == ()


def test_blocked_beats_needs_review(pack: Pack) -> None:
    decision = decided(pack, {**WORSE, "tests.failed": 2})
    assert decision.outcome is Outcome.BLOCKED
    assert decision.track is Track.YELLOW
    assert decision.expected_wait.startswith("nothing starts until")


def test_a_prohibited_use_is_blocked_and_nothing_lightens_it(pack: Pack) -> None:
    decision = decided(pack, {"use.prohibited": True})
    assert decision.tier is Tier.PROHIBITED
    assert decision.outcome is Outcome.BLOCKED
    assert decision.lighter == ()
    assert decision.findings[0].rule == "prohibited"
    assert decision.findings[0].waivable_by == ()


def test_an_open_screen_blocks_and_waiving_everything_does_not_help(pack: Pack) -> None:
    everything = frozenset(gate.id for gate in decided(pack).gates)
    decision = decided(
        pack, without=("use.prohibited",), waived=everything | {"screen-open", "prohibited"}
    )
    assert decision.outcome is Outcome.BLOCKED
    assert decision.findings[0].severity is Severity.BLOCKS
    assert decision.findings[0].waivable_by == ()
    assert "use.prohibited" in decision.unanswered


def test_an_insufficient_gate_is_yellow_and_brings_its_owner(pack: Pack) -> None:
    decision = decided(pack, without=("lineage.unverified",))
    assert decision.track is Track.YELLOW
    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert decision.best_case is Track.GREEN
    assert {need.role: need.because for need in decision.reviewers} == {
        "ml-platform-engineer": ("lineage",),
        "data-steward": ("lineage",),
    }
    assert rules(decision) == {"lineage": "yellow"}


def test_a_waived_failure_no_longer_blocks_and_the_track_stays(pack: Pack) -> None:
    failed: dict[str, Value] = {**WORSE, "security.findings": 1}
    before, after = (
        decided(pack, failed),
        decided(pack, failed, waived=frozenset({"security-scan"})),
    )
    assert before.outcome is Outcome.BLOCKED
    assert after.outcome is Outcome.NEEDS_REVIEW
    assert after.track is before.track
    gate = next(gate for gate in after.gates if gate.id == "security-scan")
    assert gate.verdict is Verdict.WAIVED
    assert gate.sentence.endswith("A waiver is in force.")
    assert "security-scan" not in {finding.rule for finding in after.findings}


def test_a_waived_insufficient_gate_keeps_the_track_yellow(pack: Pack) -> None:
    decision = decided(pack, without=("tests.ran",), waived=frozenset({"tests"}))
    assert decision.track is Track.YELLOW
    assert next(gate for gate in decision.gates if gate.id == "tests").verdict is Verdict.WAIVED


@pytest.mark.parametrize("gate", ["model-file", "feature-contract"])
def test_a_gate_that_nobody_may_waive_stays_failed(pack: Pack, gate: str) -> None:
    broken: dict[str, Value] = {"model.file": "unsafe", "contract.missing": 1}
    decision = decided(pack, broken, waived=frozenset({gate}))
    found = next(result for result in decision.gates if result.id == gate)
    assert found.verdict is Verdict.FAIL
    assert found.waivable_by == ()
    assert decision.outcome is Outcome.BLOCKED


def test_an_accepted_gate_asks_no_more_and_the_track_stays(pack: Pack) -> None:
    decision = decided(pack, without=("lineage.unverified",), accepted=frozenset({"lineage"}))
    assert decision.track is Track.YELLOW
    assert "lineage" not in {finding.rule for finding in decision.findings}
    gate = next(result for result in decision.gates if result.id == "lineage")
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.sentence.endswith("Its owner has accepted this for the release.")


def test_accepting_does_not_open_a_failed_gate(pack: Pack) -> None:
    decision = decided(pack, {"tests.failed": 1}, accepted=frozenset({"tests"}))
    assert decision.outcome is Outcome.BLOCKED


def test_without_any_verdict_nothing_can_be_measured(pack: Pack) -> None:
    gate_facts = tuple(
        name
        for name in CALM
        if not name.startswith(("use.", "change.", "since", "baseline", "monitor.", "evaluation"))
    )
    decision = decided(pack, without=(*gate_facts, "change.performance"))
    assert {gate.verdict for gate in decision.gates if gate.enforced} == {Verdict.INSUFFICIENT}
    assert decision.outcome is Outcome.NOT_MEASURABLE


def test_a_blank_form_never_looks_safe(pack: Pack) -> None:
    decision = decide(pack, {}, kind="model", at=AT, place=where)
    assert (decision.tier, decision.track, decision.outcome) == (
        Tier.HIGH,
        Track.RED,
        Outcome.BLOCKED,
    )
    assert decision.best_case is Track.GREEN
    assert not any(reason.certain for reason in decision.track_reasons)
    assert len(decision.unanswered) == len(pack.tree["questions"])


def test_a_fact_of_another_type_is_unknown_and_says_so(pack: Pack) -> None:
    wrong = Fact("use.domain", "astrology", "guiderail.yaml:4", CALM_KNOWN_BY)
    facts = {**facts_of(CALM), "use.domain": wrong}
    decision = decide(pack, facts, kind="model", at=AT, place=where)
    assert decision.tier is Tier.HIGH
    (reason,) = [r for r in decision.tier_reasons if r.rule == "high-domain"]
    assert "the recorded value is not one of other, operations" in reason.sentence
    assert not reason.certain


CALM_KNOWN_BY = facts_of({"use.domain": "other"})["use.domain"].known_by


def test_a_number_that_is_not_finite_is_unknown(pack: Pack) -> None:
    raw = Fact("security.age_days", float("nan"), "scan.sarif", CALM_KNOWN_BY)
    facts = {**facts_of(CALM), "security.age_days": raw}
    decision = decide(pack, facts, kind="model", at=AT, place=where)
    scan = next(gate for gate in decision.gates if gate.id == "security-scan")
    assert scan.verdict is Verdict.INSUFFICIENT


def test_an_unconfirmed_profile_asks_the_risk_officer_even_when_all_else_is_green(
    pack: Pack,
) -> None:
    decision = decided(pack, {"use.confirmed": False, **HIGH_GATES})
    assert decision.tier is Tier.MEDIUM
    assert decision.track is Track.GREEN
    assert [need.role for need in decision.reviewers] == ["risk-officer"]
    assert decision.outcome is Outcome.NEEDS_REVIEW
    assert decision.expected_wait == "a few minutes after Risk Officer has confirmed"


def test_a_green_retrain_with_protected_data_needs_nobody(pack: Pack) -> None:
    decision = decided(pack, {"data.protected": True, **HIGH_GATES})
    assert decision.tier is Tier.MEDIUM
    assert decision.outcome is Outcome.GO
    assert decision.reviewers == ()


def test_reviewers_are_those_of_the_track_and_those_that_rules_add(pack: Pack) -> None:
    use: dict[str, Value] = {"use.regulated": True, "data.protected": True, **HIGH_GATES}
    decision = decided(pack, use)
    assert {need.role: need.because for need in decision.reviewers} == {
        "ml-governance-analyst": ("high-risk-use",),
        "risk-officer": ("high-risk-use",),
        "compliance": ("regulated",),
        "fair-lending": ("protected",),
    }


def test_the_submitter_reads_who_must_look_and_because_of_what(pack: Pack) -> None:
    personal: dict[str, Value] = {
        "data.personal": True,
        "data.personal_approval": "approved",
        "use.domain": "pricing",
        "use.influence": "recommends",
        "use.decision": "minor",
        **HIGH_GATES,
    }
    decision = decided(pack, {**personal, **WORSE})
    assert review_sentence(pack, decision) == (
        "This release requires ML Platform Engineer review because it affects pricing decisions, "
        "it uses personal data and its performance moved, or may have moved, by 5 % or more."
    )
    assert review_sentence(pack, decided(pack)) == ""


def test_findings_come_blocking_first_and_each_says_where_and_what_to_do(pack: Pack) -> None:
    def place(key: str) -> Place:
        return Place("guiderail.yaml", {"evidence.tests": 40, "training": 20}.get(key, 1), 3)

    facts = facts_of({**CALM, "tests.failed": 1, "lineage.without_permission": 1})
    decision = decide(pack, facts, kind="model", at=AT, place=place)
    first, second = decision.findings[:2]
    assert (first.rule, first.severity, str(first.place)) == (
        "tests",
        Severity.BLOCKS,
        "guiderail.yaml:40:3",
    )
    assert first.waivable_by == ("release-manager",)
    assert (second.rule, second.severity, str(second.place)) == (
        "lineage",
        Severity.REVIEW,
        "guiderail.yaml:20:3",
    )
    assert all(finding.fix and finding.page for finding in decision.findings)


def advice(pack: Pack, facts: dict[str, Value], rule: str, **details: object) -> str:
    named = {name.replace("__", "."): value for name, value in details.items()}
    decision = decided(pack, facts, details=named)  # type: ignore[arg-type]
    found = [finding for finding in decision.findings if finding.rule == rule]
    assert all(finding.severity is Severity.ADVICE for finding in found)
    return found[0].sentence if found else ""


def test_the_three_messages_that_every_submitter_should_see_early(pack: Pack) -> None:
    assert advice(
        pack,
        {"fairness.accuracy_gap": 15.0},
        "group-accuracy",
        fairness__accuracy_gap={"worst": "age under 25", "best": "age 40-60"},
    ) == (
        "This model shows 15 percentage points difference in accuracy between age under 25 and age "
        "40-60, the lowest and the highest of the demographic groups. Review bias mitigation "
        "strategies."
    )
    assert advice(
        pack,
        {"data.personal": True, "data.personal_columns": ("contact", "email")},
        "personal-data-in-training",
    ) == (
        "Training data includes personal data (PII): contact and email. Confirm data governance "
        "approval."
    )
    assert advice(
        pack,
        {"change.performance": Interval(-20, -22, -18)},
        "worse-than-production",
        change__performance={"metric": "accuracy"},
    ) == (
        "Model performance (accuracy) is 20.0 % worse than the current production model. Provide "
        "justification."
    )


def test_advice_keeps_quiet_about_what_is_fine_or_unknown(pack: Pack) -> None:
    assert advice(pack, {"fairness.accuracy_gap": 9.9}, "group-accuracy") == ""
    assert advice(pack, {"fairness.accuracy_gap": Unknown("no labels")}, "group-accuracy") == ""
    approved: dict[str, Value] = {"data.personal": True, "data.personal_approval": "approved"}
    assert advice(pack, approved, "personal-data-in-training") == ""


# What would get a lighter track.


def test_measuring_is_named_where_only_a_measurement_is_missing(pack: Pack) -> None:
    decision = decided(pack, without=("change.performance",))
    assert decision.track is Track.RED
    assert decision.best_case is Track.GREEN
    (way,) = decision.lighter
    assert (way.to, way.by) == (Track.GREEN, "evidence")
    assert way.actions == (
        "Have it measured or recorded: the change of the primary metric against production.",
    )


def test_evidence_and_design_are_kept_apart(pack: Pack) -> None:
    release: dict[str, Value] = {"change.new_features": 1, "change.unapproved_features": 1}
    ways = decided(pack, release).lighter
    assert [(way.to, way.by) for way in ways] == [
        (Track.YELLOW, "evidence"),
        (Track.GREEN, "design"),
    ]
    assert ways[0].rules == ("features-unapproved",)


def test_a_high_risk_use_has_no_way_down_and_says_so(pack: Pack) -> None:
    decision = decided(pack, {"use.domain": "credit", **HIGH_GATES})
    assert decision.lighter == ()
    (reason,) = decision.track_reasons
    assert reason.rule == "high-risk-use"
    assert reason.sentence.endswith("does not make this lighter.")


def test_a_tier_that_is_high_only_for_want_of_answers_can_fall_by_answering(pack: Pack) -> None:
    decision = decided(pack, without=("use.domain", "use.regulated"))
    assert decision.track is Track.RED
    (way,) = [way for way in decision.lighter if way.to is Track.GREEN]
    assert way.by == "evidence"
    assert way.actions == ("Answer what is still open: use.domain and use.regulated.",)
    (reason,) = [r for r in decision.track_reasons if r.rule == "high-risk-use"]
    assert not reason.certain
    assert "answers that are not known yet" in reason.sentence


def test_confirming_the_profile_is_enough_where_it_is_all_that_is_missing(pack: Pack) -> None:
    decision = decided(pack, {"use.confirmed": False})
    assert decision.track is Track.YELLOW
    (way,) = decision.lighter
    assert way.actions == (
        "Ask a risk officer to confirm the use profile; it takes about a minute.",
    )


def test_advice_points_to_a_lighter_design(pack: Pack) -> None:
    assert "lighter-design" in {finding.rule for finding in decided(pack, WORSE).findings}
    by_evidence = decided(pack, without=("lineage.unverified",))
    assert "lighter-design" not in {finding.rule for finding in by_evidence.findings}


# Dates and kinds.


def test_a_pack_decides_only_from_its_first_day_on(pack: Pack) -> None:
    with pytest.raises(RefusedError, match="in force from 2026-11-01"):
        decide(
            pack, facts_of(CALM), kind="model", at=datetime(2026, 10, 31, tzinfo=UTC), place=where
        )
    first_day = datetime(2026, 11, 1, tzinfo=UTC)
    decision = decide(pack, facts_of(CALM), kind="model", at=first_day, place=where)
    assert decision.outcome is Outcome.GO


def test_a_kind_without_rules_is_refused_and_not_green(pack: Pack) -> None:
    with pytest.raises(RefusedError, match="no rules for workloads of kind app"):
        decide(pack, facts_of(CALM), kind="app", at=AT, place=where)


# Where every value comes from.


def test_a_computed_tier_names_the_rules_that_made_it(pack: Pack) -> None:
    decision = decided(pack, {"use.domain": "credit", "use.regulated": True, **HIGH_GATES})
    (reason,) = [one for one in decision.track_reasons if one.rule == "high-risk-use"]
    (fact,) = reason.facts
    assert (fact.name, fact.value, fact.source, fact.known_by) == (
        "tier",
        "high",
        "the tier rules high-domain and regulated",
        "attested",
    )


def test_a_tier_is_known_no_better_than_the_facts_behind_it(pack: Pack) -> None:
    facts = {**facts_of(CALM), **facts_of({"use.domain": "credit"}, KnownBy.DECLARED)}
    decision = decide(pack, facts, kind="model", at=AT, place=where)
    (reason,) = [one for one in decision.track_reasons if one.rule == "high-risk-use"]
    assert reason.facts[0].known_by == "declared"


def test_every_reason_gate_and_finding_says_where_its_values_come_from(pack: Pack) -> None:
    shaky: dict[str, Value] = {"tests.failed": 1, "use.confirmed": False, "data.personal": True}
    decision = decided(pack, {**WORSE, **shaky}, without=("lineage.unverified", "use.prohibited"))
    told = [*decision.tier_reasons, *decision.track_reasons, *decision.gates, *decision.findings]
    silent = {one for one in told if not one.facts}
    assert {getattr(one, "rule", getattr(one, "id", "")) for one in silent} <= {"low", "green"}
    for one in told:
        for fact in one.facts:
            assert all((fact.name, fact.value, fact.source)), (one, fact)
            assert fact.known_by in {level.value for level in KnownBy}
