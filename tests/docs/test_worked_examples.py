"""Learn the tracks: what the page shows is what deciding about the same facts says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from guiderail.core.errors import Place
from guiderail.core.scales import Verdict
from guiderail.policy.decide import decide
from guiderail.policy.facts_file import parse_facts
from guiderail.policy.pack import load_pack
from website.markdown import text
from website.pages import site_pages
from website.shelf import shipped_packs, stock
from website.worked import Worked, deciding_day, worked_examples

SHELF = stock(shipped_packs())
EXAMPLES = worked_examples(SHELF)
PAGES = site_pages(SHELF, EXAMPLES)


def section(example: Worked) -> str:
    """What the page says about one example."""
    after = PAGES["tracks.md"].split(f"{{ #{example.id} }}")[1]
    return re.split(r"^### ", after, maxsplit=1, flags=re.M)[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_the_page_shows_what_is_decided_about_the_file_that_it_offers(example: Worked) -> None:
    pack = load_pack(example.pack.id)
    content = PAGES[f"worked-examples/{example.id}.json"].encode()
    facts = parse_facts(content, Path("facts.json"), pack.vocabulary)
    decision = decide(
        pack, facts, kind=example.kind, at=deciding_day(pack), place=lambda _: Place("facts.json")
    )
    shown = section(example)
    assert f"**Tier {decision.tier.value}**" in shown
    assert f"**Track {decision.track.value}**" in shown
    for reason in decision.track_reasons:
        assert f"{text(reason.sentence)} [`{reason.rule}`]" in shown
    for gate in decision.gates:
        if gate.enforced and gate.verdict is Verdict.FAIL:
            assert text(gate.sentence) in shown
    for way in decision.lighter:
        assert all(text(action) in shown for action in way.actions)
    assert text(decision.expected_wait)[1:] in shown


def test_no_decision_is_written_down_in_the_examples() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "website" / "worked_examples"
    files = sorted(folder.glob("*.yaml"))
    assert files
    for file in files:
        keys = set(re.findall(r"^ {2}(?:- | {2})(\w+):", file.read_text("utf-8"), re.M))
        assert keys <= {"id", "title", "story", "changes", "extends"}, file.name


def test_the_examples_teach_every_track_a_block_and_a_best_case() -> None:
    model = {example.id: example.decision for example in EXAMPLES if example.kind == "model"}
    assert {decision.track for decision in model.values()} == {"green", "yellow", "red"}
    assert model["model-calm-retrain"].outcome == "go"
    assert model["model-much-worse"].outcome == "blocked"
    assert model["model-not-measured"].best_case == "green"
    assert model["model-credit-decisions"].lighter == ()
    assert model["model-five-small-steps"].track == "yellow"
    assert {way.by for way in model["model-unapproved-feature"].lighter} == {"evidence", "design"}


@pytest.mark.parametrize("kind", ["app", "pipeline"])
def test_each_kind_has_a_calm_release_that_starts_by_itself_and_one_that_is_blocked(
    kind: str,
) -> None:
    decisions = [example.decision for example in EXAMPLES if example.kind == kind]
    assert decisions[0].outcome == "go"
    assert "blocked" in {decision.outcome for decision in decisions}
    assert "red" in {decision.track for decision in decisions}


def test_a_rule_names_the_examples_in_which_it_counts() -> None:
    assert "(../tracks.md#model-five-small-steps)" in PAGES["track-rules/performance-medium.md"]
    assert "(../tracks.md#model-unfair-credit)" in PAGES["gates/fairness.md"]
