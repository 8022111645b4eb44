"""Controls: their pages, what gives evidence for them, and what nobody may claim."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from guiderail.policy import Pack, load_pack, load_pack_directory
from guiderail.policy.control_pages import NOTHING_YET, evidence_for
from guiderail.policy.pages import page
from guiderail.render.page_text import page_lines
from guiderail.service.pages import page_document

KINDS = ("model", "app", "pipeline")
CONTROLS = tuple(load_pack("model").texts["controls"])
FAMILIES = {
    "INV": 3, "RISK": 5, "IMP": 1, "DATA": 7, "PERF": 2, "FAIR": 4, "EXPL": 4, "HUM": 2, "SOD": 3,
    "CHG": 5, "MON": 3, "LOG": 2, "WAIV": 1, "VEND": 1, "COST": 1, "GOV": 2,
}  # fmt: skip


def test_every_family_of_controls_is_complete() -> None:
    wanted = [f"{family}-{number}" for family, last in FAMILIES.items()
              for number in range(1, last + 1)]  # fmt: skip
    assert sorted(CONTROLS) == sorted(wanted)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_says_who_owns_it_and_for_which_clauses_it_is_evidence(
    pack: Pack, control: str
) -> None:
    shown = page(control, pack)
    assert shown.kind == "control"
    assert shown.owner in pack.texts["roles"]
    assert shown.since == "2026-11-01"
    assert shown.refs
    assert len(shown.refs) == len(set(shown.refs))
    for one in shown.refs:
        assert one.verified is (one.verified_on is not None)
        assert "ISO" not in one.source or not one.verified, "ISO texts were not read"
        assert ("secondary source" in one.source) <= (not one.verified)


def test_the_page_of_a_control_shows_what_gives_the_evidence(pack: Pack) -> None:
    shown = page("PERF-1", pack)
    assert set(shown.used_by) == {
        "error-growth", "no-labels", "performance-large", "performance-medium", "performance",
    }  # fmt: skip
    text = "\n".join(line.text for line in page_lines(page_document("perf-1")))
    for part in ("control PERF-1", "What it asks", "holds for models of every tier",
                 "guiderail explain performance", "Evidence for SR 26-2, section V"):  # fmt: skip
        assert part in text


def test_a_gate_shows_the_clauses_of_its_controls_once(pack: Pack) -> None:
    shown = page("explainability", pack)
    assert shown.controls == ("EXPL-1", "EXPL-2")
    own = {ref for name in shown.controls for ref in page(name, pack).refs}
    assert set(shown.refs) == own
    assert len(shown.refs) == len(own)


@pytest.mark.parametrize("kind", KINDS)
def test_no_mapping_is_written_at_a_gate_or_rule(kind: str) -> None:
    for texts in load_pack(kind).texts["parts"].values():
        assert not texts.get("page", {}).get("refs")


def test_what_nothing_gives_evidence_for_says_so(pack: Pack) -> None:
    silent = [
        name
        for name in CONTROLS
        if not evidence_for(name, pack) and not pack.texts["controls"][name]["recorded"]
    ]
    assert {"RISK-3", "FAIR-3", "PERF-2", "GOV-1"} <= set(silent)
    for name in silent:
        shown = page(name, pack)
        assert shown.evidence == NOTHING_YET
        assert shown.fix == (
            "No gate or rule asks for it, and nothing is recorded: keep the evidence yourself."
        )
    assert NOTHING_YET not in page("LOG-1", pack).evidence


@pytest.mark.parametrize("kind", KINDS)
def test_rules_and_almost_all_gates_are_evidence_for_a_control(kind: str) -> None:
    pack = load_pack(kind)
    parts = [part["id"] for name in ("tiers", "tracks", "gates") for part in pack.tree[name]]
    without = {part for part in parts if not page(part, pack).controls}
    assert without <= {"green", "feature-contract"}


def test_clauses_to_come_are_not_told_as_in_force(pack: Pack) -> None:
    for control in CONTROLS:
        for one in page(control, pack).refs:
            if one.clause.startswith(("Colorado SB 26-189", "OSFI Guideline E-23")):
                assert one.status == "planned"
            if one.clause.startswith("SR 11-7"):
                assert (one.status, one.valid_to) == ("ended", "2026-04-17")
    high_risk = [one for one in page("RISK-1", pack).refs if "Annex III" in one.clause]
    assert [(one.status, one.valid_from) for one in high_risk] == [("planned", "2027-12-02")]


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_claims_compliance(kind: str) -> None:
    texts = json.dumps(load_pack(kind).texts)
    assert not re.search(r"\b(non-?)?compliant\b|\bcomplies with\b|\bin compliance\b", texts, re.I)
    for control in CONTROLS:
        for line in page_lines(page_document(control)):
            assert "compliant" not in line.text


def test_an_organisation_may_drop_a_control_that_pages_name(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "pack.yaml").write_text(
        "id: ours\nversion: '1'\ntitle: Ours\neffective_from: '2026-11-01'\n"
        f"owner: risk-officer\nextends: model\nextends_digest: {load_pack('model').digest}\n"
        "kinds: [model]\ndrops:\n  COST-1: Cost is managed elsewhere.\n",
        "utf-8",
    )
    ours = load_pack_directory(folder)
    assert "COST-1" not in ours.texts["controls"]
    assert page("cost", ours).controls == ()
