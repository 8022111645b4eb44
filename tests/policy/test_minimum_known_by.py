"""A pack asks for better evidence, by the names of facts or by gate; weaker evidence is yellow."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.scales import KnownBy, Track, Verdict
from guiderail.facts.fact import Fact
from guiderail.policy import Decision, Pack, decide, load_pack
from guiderail.policy.diff import diff_packs
from guiderail.policy.pack import SHIPPED, load_pack_directory, make_pack
from guiderail.policy.proofs.prove import prove_pack
from tests.policy.calm import AT, CALM, facts_of, where

GATE = "tests"


def strict(gate: str | None = None, **by_name: str) -> Pack:
    """The pack for models, asking for more."""
    pack = load_pack("model")
    tree: dict[str, Any] = copy.deepcopy(dict(pack.tree))
    tree["minimum_known_by"] |= {name.replace("_", "."): least for name, least in by_name.items()}
    for one in tree["gates"]:
        if one["id"] == GATE and gate is not None:
            one["minimum_known_by"] = gate
    return make_pack(tree, dict(pack.texts))


def decided(pack: Pack, known: Mapping[str, KnownBy] | None = None) -> Decision:
    facts: dict[str, Fact] = dict(facts_of(CALM, KnownBy.MEASURED))
    for name, level in (known or {}).items():
        facts[name] = replace(facts[name], known_by=level)
    return decide(pack, facts, kind="model", at=AT, place=where)


VERIFIED_TESTS = {
    name: KnownBy.VERIFIED
    for name in ("tests.ran", "tests.failed", "tests.bound", "tests.skipped")
    if name in CALM
}


@pytest.mark.parametrize("pack", [strict("verified"), strict(tests="verified")])
def test_a_fact_below_the_minimum_makes_yellow_and_is_told_with_what_to_do(pack: Pack) -> None:
    weak, good = decided(pack), decided(pack, VERIFIED_TESTS)

    assert decided(load_pack("model")).track is Track.GREEN
    assert good.track is Track.GREEN
    assert weak.track is Track.YELLOW
    (reason,) = weak.track_reasons
    assert reason.rule == "weak-evidence"
    assert "failed tests" in reason.sentence
    assert "(measured; the policy wants verified)" in reason.sentence
    (way,) = weak.lighter
    assert any("trusted runner" in action for action in way.actions)
    assert all("verified or better" in change.after for change in way.changes)


def test_weak_evidence_is_never_red_and_moves_no_gate() -> None:
    pack = strict("attested", tests="attested", data="attested", change="attested",
                  evaluation="attested", security="attested")  # fmt: skip
    decision = decided(pack)
    assert decision.track is Track.YELLOW
    assert {gate.verdict for gate in decision.gates if gate.enforced} <= {
        Verdict.PASS, Verdict.NOT_APPLICABLE,
    }  # fmt: skip


def test_what_a_gate_asks_for_does_not_reach_facts_that_it_does_not_read() -> None:
    assert decided(strict("verified"), VERIFIED_TESTS).track is Track.GREEN
    assert (
        decided(strict("verified"), {"security.findings": KnownBy.MEASURED})
        .track_reasons[0]
        .sentence.count("security")
        == 0
    )


def test_the_stricter_of_name_and_gate_holds() -> None:
    both = strict("attested", tests="verified")
    assert decided(both, VERIFIED_TESTS).track is Track.YELLOW
    assert decided(strict("measured", tests="verified")).track is Track.YELLOW


def test_the_difference_between_two_packs_says_that_green_asks_for_more() -> None:
    changes = diff_packs(load_pack("model"), strict("verified"), ["model"]).changes
    (change,) = [one for one in changes if one.part == GATE]
    assert change.direction == "heavier"
    assert "at least verified, before declared" in change.sentence


@pytest.mark.slow
def test_a_pack_that_asks_for_verified_facts_is_still_proved() -> None:
    assert prove_pack(strict("verified", evaluation="verified")).holds


def test_a_gate_file_may_say_it(tmp_path: Path) -> None:
    (tmp_path / "gates").mkdir()
    (tmp_path / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\nowner: security\n"
        f"extends: model\nextends_digest: {load_pack('model').digest}\nkinds: [model]\n"
    )
    gate = (SHIPPED / "baseline" / "gates" / "tests.yaml").read_text()
    gate = gate.replace("id: tests\n", "id: tests\noverrides: baseline\n", 1)
    gate = gate.replace("\npass_when:", "\nminimum_known_by: verified\npass_when:", 1)
    (tmp_path / "gates" / "tests.yaml").write_text(gate)

    pack = load_pack_directory(tmp_path)

    assert decided(pack).track is Track.YELLOW
    assert decided(pack, VERIFIED_TESTS).track is Track.GREEN


def test_the_shipped_packs_ask_for_nothing_that_only_a_runner_could_give() -> None:
    for kind in ("app", "model", "pipeline"):
        tree = load_pack(kind).tree
        assert set(tree["minimum_known_by"].values()) <= {"measured"}
        assert not any("minimum_known_by" in gate for gate in tree["gates"])


@given(data=st.data())
def test_better_evidence_never_makes_heavier_whatever_a_pack_asks_for(data: st.DataObject) -> None:
    level = st.sampled_from(list(KnownBy))
    pack = data.draw(st.sampled_from([strict("verified"), strict("attested", data="verified"),
                                      strict(None, evaluation="attested")]))  # fmt: skip
    names = sorted(CALM)
    low = {name: data.draw(level) for name in data.draw(st.sets(st.sampled_from(names)))}
    high = {name: max(one, data.draw(level), key=lambda x: x.rank) for name, one in low.items()}
    assert decided(pack, high).track.rank <= decided(pack, low).track.rank
