"""Gates: every example of every gate runs, and the table of verdicts holds for each of them."""

from __future__ import annotations

import pytest

from guiderail.core.scales import Verdict
from guiderail.facts.fact import Unknown, Value
from guiderail.policy import Pack, load_pack
from guiderail.policy.pack import SHIPPED
from guiderail.policy.pack_files import Example, GateFile
from guiderail.policy.pack_reader import read_directory
from guiderail.policy.problems import example_verdict
from tests.policy.calm import HIGH_GATES, decided

KINDS = ("app", "model", "pipeline")


def gates_of(name: str) -> list[GateFile]:
    """The gate files that decide in a shipped pack: its own, and those that it takes over."""
    files: dict[str, GateFile] = {}
    for sources in read_directory(SHIPPED / name).packs:
        for source in sources.sections["gates"]:
            if isinstance(source.part, GateFile):
                files[source.part.id] = source.part
    return [gate for gate in files.values() if name in gate.kinds]


GATES = [(kind, gate) for kind in KINDS for gate in gates_of(kind)]
EXAMPLES = [(kind, gate, example) for kind, gate in GATES for example in gate.examples]
ALL = pytest.mark.parametrize(
    ("kind", "gate"), GATES, ids=[f"{kind}: {gate.id}" for kind, gate in GATES]
)

NEVER_FAIL = {
    ("app", "human-oversight"), ("app", "rollout-plan"),
    ("model", "concept-drift"), ("model", "drift-monitoring"), ("model", "human-oversight"),
    ("model", "rollout-plan"),
    ("pipeline", "output-comparison"),
}  # fmt: skip
"""Gates that only ever lack evidence: a person judges what they ask about, or it can be added."""

LOW_GATES = {
    "security-scan", "tests", "personal-data", "model-file", "performance", "lineage",
    "feature-contract", "rollback-plan", "drift-monitoring", "experiment",
}  # fmt: skip
MEDIUM_GATES = LOW_GATES | {
    "staging", "fairness", "proxies", "explainability", "explanation-regression", "cost",
    "concept-drift", "rollout-plan",
}  # fmt: skip
ALL_GATES = MEDIUM_GATES | {"explanations-understood", "reason-stability", "human-oversight"}


@pytest.mark.parametrize(
    ("kind", "gate", "example"),
    EXAMPLES,
    ids=[f"{kind}: {gate.id}: {example.name}" for kind, gate, example in EXAMPLES],
)
def test_every_example_gives_its_verdict(kind: str, gate: GateFile, example: Example) -> None:
    assert example_verdict(gate, example, load_pack(kind)) == example.verdict


@ALL
def test_every_gate_shows_a_pass_a_lack_of_evidence_and_a_failure_if_it_can_fail(
    kind: str, gate: GateFile
) -> None:
    shown = {example.verdict for example in gate.examples}
    assert {"pass", "insufficient"} <= shown
    assert ("fail" in shown) is (gate.fail_when is not None)
    assert ("not_applicable" in shown) is (gate.applies_when is not None)


@ALL
def test_every_gate_has_an_owner_a_first_day_and_a_whole_page(kind: str, gate: GateFile) -> None:
    pack, told = load_pack(kind), gate.page
    assert gate.owner in pack.texts["roles"]
    assert set(gate.waivable_by) <= set(pack.texts["roles"])
    assert gate.since
    for text in (
        told.what, told.why, told.matters_to, told.good, told.fix, told.evidence, told.waiver,
    ):  # fmt: skip
        assert text is not None
        assert len(text) > 8
    assert told.tools


def test_exactly_the_gates_that_the_policy_names_never_fail() -> None:
    assert {(kind, gate.id) for kind, gate in GATES if gate.fail_when is None} == NEVER_FAIL


@ALL
def test_a_gate_that_knows_nothing_is_insufficient(kind: str, gate: GateFile) -> None:
    assert (
        example_verdict(
            gate, Example(name="nothing", verdict="insufficient", facts={}), load_pack(kind)
        )
        == "insufficient"
    )


def enforced(pack: Pack, use: dict[str, Value]) -> set[str]:
    return {gate.id for gate in decided(pack, use).gates if gate.enforced}


def test_each_tier_enforces_the_gates_that_the_policy_names(pack: Pack) -> None:
    assert enforced(pack, {}) == LOW_GATES
    assert enforced(pack, {"use.domain": "pricing", "use.influence": "recommends"}) == MEDIUM_GATES
    assert enforced(pack, {"use.domain": "credit"}) == ALL_GATES
    assert {gate.id for gate in decided(pack).gates} == ALL_GATES | {"code-review"}


def test_a_gate_whose_facts_nobody_measures_is_insufficient_and_never_passes(pack: Pack) -> None:
    decision = decided(pack, {"use.domain": "credit"})
    verdicts = {gate.id: gate.verdict for gate in decision.gates}
    unmeasured = ALL_GATES - LOW_GATES - {"concept-drift"}
    assert {verdicts[gate] for gate in unmeasured} == {Verdict.INSUFFICIENT}
    for gate in decision.gates:
        if gate.id in unmeasured:
            assert gate.needs
            assert "not known" in gate.sentence


def test_with_all_evidence_every_gate_of_the_high_tier_passes(pack: Pack) -> None:
    decision = decided(pack, {"use.domain": "credit", **HIGH_GATES})
    assert {gate.verdict for gate in decision.gates if gate.enforced} <= {
        Verdict.PASS,
        Verdict.NOT_APPLICABLE,
    }


def one(pack: Pack, gate: str, facts: dict[str, Value]) -> tuple[Verdict, str]:
    found = next(result for result in decided(pack, facts).gates if result.id == gate)
    return found.verdict, found.sentence


def test_a_crashed_scanner_fails_even_with_no_findings(pack: Pack) -> None:
    verdict, sentence = one(pack, "security-scan", {"security.scanner_ok": False})
    assert verdict is Verdict.FAIL
    assert "did not finish" in sentence


def test_a_failure_is_a_failure_even_where_other_evidence_is_missing(pack: Pack) -> None:
    facts: dict[str, Value] = {
        "security.findings": 3,
        "security.scanner_ok": Unknown("the report is cut off"),
        "security.bound": False,
    }
    assert one(pack, "security-scan", facts)[0] is Verdict.FAIL


def test_an_undeclared_floor_does_not_stop_a_pass_and_a_declared_one_fails(pack: Pack) -> None:
    from guiderail.core.interval import Interval

    worse: dict[str, Value] = {"change.performance": Interval(-3, -4, -2)}
    undeclared = Unknown("guiderail.yaml declares no floor")
    assert one(pack, "performance", {**worse, "performance.floor": undeclared})[0] is Verdict.PASS
    assert one(pack, "performance", {**worse, "performance.floor": -1.0})[0] is Verdict.FAIL


def test_a_first_release_has_nothing_to_compare_with(pack: Pack) -> None:
    verdict, sentence = one(pack, "performance", {"baseline.exists": False})
    assert verdict is Verdict.INSUFFICIENT
    assert "nothing to compare with" in sentence


def test_the_same_finding_on_personal_data_asks_for_a_steward_and_not_for_a_ban(
    pack: Pack,
) -> None:
    decision = decided(pack, {"data.personal": True, "data.personal_columns": ("contact", "email")})
    gate = next(result for result in decision.gates if result.id == "personal-data")
    assert gate.verdict is Verdict.INSUFFICIENT
    assert gate.sentence == (
        "The training data hold personal data (contact and email) that no data steward has "
        "approved for this purpose."
    )
    assert "data-steward" in {need.role for need in decision.reviewers}


def test_no_sentence_of_any_gate_is_empty_or_shows_a_template(pack: Pack) -> None:
    for use in ({}, {"use.domain": "credit"}, {"use.domain": "credit", **HIGH_GATES}):
        for gate in decided(pack, use).gates:
            assert len(gate.sentence) > 20
            assert not set("{}[]") & set(gate.sentence)


def test_ratios_are_told_with_two_decimals(pack: Pack) -> None:
    from guiderail.core.interval import Interval

    use: dict[str, Value] = {"use.domain": "credit", **HIGH_GATES}
    facts = {**use, "fairness.selection_ratio": Interval(0.714, 0.62, 0.97)}
    assert one(pack, "fairness", facts) == (
        Verdict.INSUFFICIENT,
        "The lowest selection-rate ratio is 0.71 (95 % interval 0.62 to 0.97); the data allow "
        "values on both sides of 0.8.",
    )
