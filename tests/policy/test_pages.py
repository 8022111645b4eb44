"""Every name that the check prints has a page, and every page says what a newcomer needs."""

from __future__ import annotations

import re

import pytest

from guiderail.core.errors import InputError
from guiderail.facts.catalogue import BY_NAME
from guiderail.policy import Pack, load_pack
from guiderail.policy.pages import page, page_ids

KINDS = ("model", "app", "pipeline")
IDS = page_ids(load_pack("model"))
PAGES = [
    (kind, name)
    for kind in KINDS
    for name in page_ids(load_pack(kind))
    if kind == "model" or name not in BY_NAME
]
PARTS = [(kind, name) for kind, name in PAGES if name in load_pack(kind).texts["parts"]]


@pytest.mark.parametrize(("kind", "page_id"), PAGES)
def test_every_page_says_what_why_good_and_how_to_fix(kind: str, page_id: str) -> None:
    shown = page(page_id, load_pack(kind))
    for text in (shown.title, shown.what, shown.why, shown.good, shown.fix):
        assert len(text) > 8
        assert not re.search(r"[{}]|\[\[|TODO|!$", text)
        assert "  " not in text
    assert shown.tools


@pytest.mark.parametrize(("kind", "page_id"), PARTS)
def test_every_part_has_an_owner_and_a_first_day(kind: str, page_id: str) -> None:
    pack = load_pack(kind)
    shown = page(page_id, pack)
    assert shown.owner in pack.texts["roles"]
    assert shown.since == "2026-11-01"
    assert shown.facts or page_id in ("low", "green")


def test_a_page_shows_the_condition_in_the_policy_language(pack: Pack) -> None:
    assert page("decision-flips", pack).conditions == (
        (
            "raises the track to yellow",
            "baseline.exists && (change.flips.low > 2 || since_review.flips.low > 2 || "
            "(change.flips_null_exists && change.flips.low > change.flips_null))",
        ),
        (
            "raises the track to red",
            "baseline.exists && (change.flips.low > 10 || since_full_review.flips.low > 10)",
        ),
    )


def test_a_gate_names_who_may_waive_it_and_its_examples(pack: Pack) -> None:
    shown = page("fairness", pack)
    assert shown.kind == "gate"
    assert shown.waivable_by == ("ml-governance-analyst",)
    assert {example.verdict for example in shown.examples} == {"pass", "fail", "insufficient"}
    assert shown.matters_to
    assert shown.evidence
    assert shown.waiver


def test_an_example_shows_its_facts_in_words_and_what_the_gate_says_about_them(pack: Pack) -> None:
    fails = next(one for one in page("performance", pack).examples if one.verdict == "fail")
    assert dict(fails.facts) == {
        "baseline.exists": "yes",
        "change.performance": "-14.0 % (95 % interval -16.0 to -12.0)",
        "performance.floor": "-10 %",
    }
    assert fails.sentence.endswith("below the floor of -10 % that the manifest declares.")


def test_every_example_is_judged_to_the_verdict_that_its_file_says(pack: Pack) -> None:
    judged = 0
    for gate in pack.tree["gates"]:
        written = pack.part_texts(gate["id"])["examples"]
        shown = page(gate["id"], pack).examples
        assert [one.verdict for one in shown] == [row["verdict"] for row in written], gate["id"]
        assert all(one.sentence for one in shown)
        judged += len(shown)
    assert judged > 60


def test_a_page_lists_the_limits_of_its_conditions_with_their_units(pack: Pack) -> None:
    assert page("performance-medium", pack).limits == (
        ("change.performance", ("-5 %", "5 %")),
        ("since_full_review.performance", ("-15 %", "-5 %", "5 %", "15 %")),
        ("since_review.performance", ("-5 %", "5 %")),
    )


def test_a_page_says_for_which_kind_and_from_which_tier_it_is_asked(pack: Pack) -> None:
    assert dict(page("performance", pack).asked_of)["model"] == "on every tier"
    assert dict(page("fairness", pack).asked_of)["model"].startswith("from tier ")
    assert dict(page("high-risk-use", pack).asked_of) == {"model": "always"}


def test_a_rule_names_the_questions_behind_its_facts(pack: Pack) -> None:
    assert "q04-domain" in page("high-domain", pack).questions
    assert "high-domain" in page("q04-domain", pack).used_by


def test_the_cost_gate_says_that_no_regulator_asks_for_it(pack: Pack) -> None:
    assert "no regulator" in page("cost", pack).why


def test_what_no_machine_can_decide_needs_a_named_human(pack: Pack) -> None:
    for gate in ("human-oversight", "explanations-understood"):
        assert any("named human" in tool for tool in page(gate, pack).tools)


def test_a_page_never_claims_compliance() -> None:
    for kind, page_id in PAGES:
        shown = page(page_id, load_pack(kind))
        texts = " ".join((shown.what, shown.why, shown.good, shown.fix, shown.evidence))
        assert not re.search(r"\bcompliant\b", texts)


def test_a_fact_names_who_reads_it_and_the_question_that_asks_for_it(pack: Pack) -> None:
    shown = page("use.domain", pack)
    assert "high-domain" in shown.used_by
    assert shown.tools == ("guiderail explain q04-domain",)


def test_every_page_that_a_page_points_to_exists() -> None:
    named = 0
    there = {kind: page_ids(load_pack(kind)) for kind in dict(PAGES)}
    for kind, page_id in PAGES:
        shown = page(page_id, load_pack(kind))
        texts = " ".join((*shown.tools, shown.fix, shown.what, shown.why, shown.good))
        for target in re.findall(r"guiderail explain ([A-Za-z0-9._-]+[A-Za-z0-9])", texts):
            assert target in there[kind], page_id
            named += 1
    assert named > 10


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("fairnes", "fairness"),
        ("use.domian", "use.domain"),
        ("performance-larg", "performance-large"),
    ],
)
def test_an_unknown_page_names_the_nearest(pack: Pack, written: str, meant: str) -> None:
    with pytest.raises(InputError) as caught:
        page(written, pack)
    assert caught.value.code == "page/unknown"
    assert caught.value.advice == f"Did you mean {meant}?"


def test_a_question_decides_exactly_when_a_rule_or_gate_reads_its_fact(pack: Pack) -> None:
    for question in pack.tree["questions"]:
        readers = page(question["fact"], pack).used_by
        advice = {row["id"] for row in pack.tree["advice"]}
        deciding = [name for name in readers if not name.startswith("q") and name not in advice]
        assert question["context"] is not bool(deciding), question["id"]
        told = "It only tells reviewers more" in page(question["id"], pack).what
        assert told is question["context"]


def test_every_use_fact_that_only_the_owner_knows_has_a_question(pack: Pack) -> None:
    asked = {question["fact"] for question in pack.tree["questions"]}
    assert asked >= {name for name in BY_NAME if name.startswith("use.")} - {"use.confirmed"}
