"""The interview: 26 numbers, each asked and skipped as its rule says; context decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from guiderail.core.scales import Tier, Track
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.catalogue.interview import INTERVIEW_FACTS, only_tells
from guiderail.facts.fact import Value
from guiderail.policy import Decision, Pack, decide, load_pack, load_pack_directory
from guiderail.policy.pack import SHIPPED
from guiderail.policy.pages import page
from guiderail.policy.problem import PackError
from guiderail.policy.problems import check_pack_directory
from guiderail.service.pages import page_document
from guiderail_verify.judge import TIERS
from tests.policy.calm import AT, CALM, decided, facts_of, where
from tests.policy.test_mappings import TODAY

QUESTIONS = {row["id"]: row for row in load_pack("model").tree["questions"]}
NOBODY = {"use.affects_people": False, "use.customer_facing": False}
SKIPPED: Mapping[str, Mapping[str, Value]] = {
    "q04-decision": {**NOBODY, "data.personal": False},
    "q06-oversight": {"use.decision": "none"},
    "q07-reversible": {"use.influence": "informs"},
    "q07-undo-within": {"use.reversible": False},
    "q08-exposure": NOBODY,
    "q08-people": NOBODY,
    "q08-money": NOBODY,
    "q09-population": {"use.affects_people": False},
    "q09-jurisdictions": {"use.affects_people": False},
    "q13-protected-reason": {"data.protected": False},
    "q14-groups": {"use.affects_people": False},
    "q15-fairness-choice": {"use.affects_people": False},
    "q16-explanation": NOBODY,
    "q17-contest": {"use.decision": "none"},
    "q19-worse-at": {"baseline.exists": False},
    "q24-experiment-plan": {"experiment.used": False},
}
"""For each question with a skip rule, facts under which it is skipped."""

GRAVEST: Mapping[str, Value] = {
    "use.prohibited": True,
    "use.domain": "credit",
    "use.affects_people": True,
    "use.customer_facing": True,
    "use.decision": "significant",
    "use.influence": "automated",
    "use.exposure": "large",
    "use.regulated": True,
    "use.reversible": False,
    "data.personal": True,
    "data.protected": True,
}
ALONE = {
    "use.prohibited": Tier.PROHIBITED,
    "use.domain": Tier.HIGH,
    "use.regulated": Tier.HIGH,
    "data.protected": Tier.MEDIUM,
}
"""Tiers that one gravest answer gives with every other answer at its mildest; the rest stay low."""

MILDEST: Mapping[str, Value] = {**CALM, "use.influence": "informs"}


def asked(values: Mapping[str, Value]) -> set[str]:
    """Facts that the interview asks for when exactly these are known."""
    decision = decide(load_pack("model"), facts_of(values), kind="model", at=AT, place=where)
    return {*decision.unanswered, *decision.optional}


def on_model(question: Mapping[str, object]) -> bool:
    kinds = question["kinds"]
    assert isinstance(kinds, list)
    return "model" in kinds


def test_every_number_of_the_interview_is_there(pack: Pack) -> None:
    numbers = {texts["number"] for texts in pack.texts["parts"].values()
               if texts["section"] == "question"}  # fmt: skip
    assert numbers == set(range(1, 27))
    assert {row["number"] for row in pack.tree["questions"]} == numbers - {18}


@pytest.mark.parametrize(
    ("kind", "left_out"), [("app", {11, 13, 14, 15}), ("pipeline", {6, 14, 15, 16, 17})]
)
def test_apps_and_pipelines_leave_out_what_only_models_have(kind: str, left_out: set[int]) -> None:
    pack = load_pack(kind)
    numbers = {texts["number"] for texts in pack.texts["parts"].values()
               if texts["section"] == "question" and kind in texts["kinds"]}  # fmt: skip
    assert numbers == set(range(1, 27)) - left_out


@pytest.mark.parametrize("kind", ["model", "app", "pipeline"])
def test_nobody_is_asked_for_a_fact_that_their_kind_of_workload_does_not_have(kind: str) -> None:
    asked_for = [row["fact"] for row in load_pack(kind).tree["questions"] if kind in row["kinds"]]
    assert all(kind in BY_NAME[fact].kinds for fact in asked_for)


@pytest.mark.parametrize("kind", ["model", "app", "pipeline"])
def test_what_changed_is_shown_and_never_asked(kind: str) -> None:
    pack = load_pack(kind)
    texts = pack.part_texts("q18-changed")
    assert texts["fact"] is None
    assert all(kind in BY_NAME[name].kinds for name in texts["shows"])
    shown = page("q18-changed", pack)
    assert "computed and never asked" in shown.what
    assert page_document("q18-changed", kind)["kind"] == "question"
    assert shown.facts == tuple(texts["shows"])


@pytest.mark.parametrize("name", [name for name, row in QUESTIONS.items() if on_model(row)])
def test_a_question_is_asked_while_its_fact_is_not_known_and_only_then(name: str) -> None:
    fact = QUESTIONS[name]["fact"]
    assert fact in asked({})
    kind = BY_NAME[fact]
    value: Value = {"bool": True, "integer": 3, "number": 3.0}.get(kind.type, "text")
    assert fact not in asked({fact: kind.values[-1] if kind.values else value})


def test_every_skip_rule_has_a_case_here() -> None:
    with_rule = {
        name for name, row in QUESTIONS.items() if row["skip_when"] is not None and on_model(row)
    }
    assert set(SKIPPED) == with_rule


@pytest.mark.parametrize("name", SKIPPED)
def test_a_question_is_skipped_when_its_rule_is_true_and_asked_when_it_is_not_known(
    name: str,
) -> None:
    fact = QUESTIONS[name]["fact"]
    assert fact not in asked(SKIPPED[name])
    for left_out in SKIPPED[name]:
        rest = {key: value for key, value in SKIPPED[name].items() if key != left_out}
        assert fact in asked(rest), "what is not known skips nothing"


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_says_why_what_is_good_and_who_can_know(pack: Pack, name: str) -> None:
    texts = pack.part_texts(name)
    assert len(texts["why"]) > 20
    assert len(texts["good"]) > 10
    assert texts["ask"] in pack.texts["roles"]
    assert texts["owner"] in pack.texts["roles"]


def test_a_green_retrain_is_asked_nothing(pack: Pack) -> None:
    decision = decided(pack)
    assert (decision.track, decision.unanswered) == (Track.GREEN, ())


def test_a_blank_form_is_high_and_red_whatever_context_is_told(pack: Pack) -> None:
    for values in ({}, _every_context()):
        decision = decide(pack, facts_of(values), kind="model", at=AT, place=where)
        assert (decision.tier, decision.track) == (Tier.HIGH, Track.RED)


@pytest.mark.parametrize("fact", GRAVEST)
def test_one_grave_answer_is_never_diluted_by_mild_ones(pack: Pack, fact: str) -> None:
    mild = {name: value for name, value in MILDEST.items() if name != fact}
    alone = decided_on(pack, {**mild, fact: GRAVEST[fact]})
    assert alone.tier is ALONE.get(fact, Tier.LOW)
    for other, value in GRAVEST.items():
        more = decided_on(pack, {**mild, fact: GRAVEST[fact], other: value})
        assert TIERS.index(more.tier) >= TIERS.index(alone.tier), other


def test_no_answer_that_only_tells_changes_anything(pack: Pack) -> None:
    for values in (CALM, {**CALM, **GRAVEST, "use.prohibited": False}):
        silent = decided_on(pack, values)
        told = decided_on(pack, {**values, **_every_context()})
        for part in ("outcome", "tier", "track", "gates", "reviewers", "unanswered"):
            assert getattr(told, part) == getattr(silent, part)


def test_no_shipped_rule_reads_what_only_tells(pack: Pack) -> None:
    named = {fact.name for fact in INTERVIEW_FACTS}
    assert {row["fact"] for row in QUESTIONS.values() if row["context"]} == named
    for fact in INTERVIEW_FACTS:
        assert only_tells(fact.name)
        assert fact.risk_direction == "none"
        assert all(reader.startswith("q") for reader in page(fact.name, pack).used_by)


def test_nobody_is_asked_for_what_only_a_named_human_or_the_finance_owner_may_say() -> None:
    facts = {row["fact"] for row in QUESTIONS.values()}
    assert not facts & {"oversight.tested", "cost.ceiling", "explanations.understood"}


def own(folder: Path, **files: str) -> Path:
    """A pack that extends the model pack, with these files in it."""
    folder.mkdir()
    (folder / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\n"
        f"owner: risk-officer\nextends: model\nextends_digest: {load_pack('model').digest}\n"
        "kinds: [model]\n",
        "utf-8",
    )
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def rule(when: str) -> str:
    """A tier rule with another condition and another name."""
    text = (SHIPPED / "model" / "tiers" / "regulated.yaml").read_text("utf-8")
    return text.replace("id: regulated", "id: ours").replace("  use.regulated\n", f"  {when}\n", 1)


def test_a_rule_that_reads_an_answer_in_own_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError) as caught:
        load_pack_directory(
            own(tmp_path / "ours", tiers__ours=rule('context.third_party != "none"'))
        )
    (problem,) = caught.value.problems
    assert problem.message == (
        "context.third_party is answered in own words, and ours decides by it."
    )
    assert problem.hint == "Ask with choices, or let no rule read it."


def test_a_number_that_a_rule_of_ones_own_reads_is_needed_from_then_on(tmp_path: Path) -> None:
    ours = load_pack_directory(
        own(tmp_path / "ours", tiers__ours=rule("context.people_a_month > 10000"))
    )
    question = next(row for row in ours.tree["questions"] if row["id"] == "q08-people")
    assert not question["context"]
    people = {"use.affects_people": True}
    assert "context.people_a_month" in decided(ours, people).unanswered
    assert decided(ours, people).tier is Tier.HIGH
    assert decided(ours, {**people, "context.people_a_month": 10000}).tier is Tier.LOW


def test_a_number_of_the_interview_hides_no_long_list(tmp_path: Path) -> None:
    question = (SHIPPED / "baseline" / "questions" / "q26-business-context.yaml").read_text("utf-8")
    files = {
        f"questions__q26-more-{n}": question.replace("q26-business-context", f"q26-more-{n}")
        for n in range(3)
    }
    told = check_pack_directory(own(tmp_path / "ours", **files), today=TODAY).problems
    assert [one.message for one in told] == ["Number 26 of the interview asks a model for 4 facts."]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ask: product-owner", "ask: product-owneer", "There is no role product-owneer."),
        ("fact: release.business_context", "shows: [release.x]", "There is no fact release.x."),
        ("fact: release.business_context\n", "", "The question asks for no fact and shows none."),
        ("number: 26", "number: 27", "number: Input should be less than or equal to 26."),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = (SHIPPED / "baseline" / "questions" / "q26-business-context.yaml").read_text("utf-8")
    assert old in text
    text = text.replace("id: q26-business-context", "id: q26-ours").replace(old, new)
    folder = own(tmp_path / "ours", **{"questions__q26-ours": text})
    told = check_pack_directory(folder, today=TODAY).problems
    assert said in [one.message for one in told]


def decided_on(pack: Pack, values: Mapping[str, Value]) -> Decision:
    return decide(pack, facts_of(values), kind="model", at=AT, place=where)


def _every_context() -> dict[str, Value]:
    return {
        fact.name: "everything is fine" if fact.type == "text" else 0 for fact in INTERVIEW_FACTS
    }
