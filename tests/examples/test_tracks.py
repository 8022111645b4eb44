"""Each version of the examples lands on the track that the policy says, with and without its use.

The models are trained here, their tests and the scanner run, the baselines are the versions before.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guiderail.change.measure_release import release_facts
from guiderail.core.scales import KnownBy, Outcome, Tier, Track, Verdict
from guiderail.facts.fact import Fact, FactSet
from guiderail.facts.feature_registry import load_features
from guiderail.facts.standing import Baseline, Standing
from guiderail.facts.use.profile import use_profile_digest
from guiderail.manifest.load import load_release
from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.pack import load_pack
from tests.examples.scripts import EXAMPLES

NOW = datetime.now(UTC) + timedelta(hours=1)
"""After the reports, which are written while the tests run and age from that moment on."""
HARMLESS = {
    "use.prohibited": False,
    "use.domain": "operations",
    "use.affects_people": False,
    "use.customer_facing": False,
    "use.decision": "none",
    "use.influence": "informs",
    "use.exposure": "small",
    "use.regulated": False,
    "use.reversible": True,
    "use.confirmed": True,
    "data.protected": False,
    "data.personal": False,
}
"""The use of an internal planning aid that decides nothing about anybody."""


@dataclass(frozen=True)
class Depot:
    """Built releases and what was measured about each against its baseline, kept for the run."""

    root: Path
    cache: Path

    def decision(self, example: str, version: str, before: str | None, **use: object) -> Decision:
        """What the policy says; keyword facts replace the declared use."""
        release = load_release(self.root / example / version)
        facts = dict(self.facts(example, version, before))
        for name, value in (HARMLESS if use.get("harmless") else {}).items():
            facts[name] = Fact(name, value, "the test", KnownBy.ATTESTED)
        return decide(load_pack(), facts, kind="model", at=NOW, place=release.place)

    def facts(self, example: str, version: str, before: str | None) -> FactSet:
        release = load_release(self.root / example / version)
        standing = Standing(
            features=load_features(EXAMPLES / "features.yaml"),
            confirmed_profiles=frozenset({use_profile_digest(release)}),
            last_rehearsal=NOW - timedelta(days=1),
        )
        if before is not None:
            old = load_release(self.root / example / before)
            baseline = Baseline(old, old.digest, {})
            standing = replace(
                standing, production=baseline, reviewed=baseline, full_review=baseline
            )
        return release_facts(release, standing, NOW, cache=self.cache)


@pytest.fixture(scope="module")
def depot(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> Depot:
    return Depot(releases, tmp_path_factory.mktemp("cache"))


def rules(decision: Decision, track: Track) -> set[str]:
    """The rules, gates left out, that ask for this track."""
    gates = {gate.id for gate in decision.gates}
    return {r.rule for r in decision.track_reasons if r.raises_to == track} - gates


@pytest.mark.parametrize(
    ("version", "before", "with_use", "without_use", "because"),
    [
        ("v1", None, Track.RED, Track.YELLOW, "first-release"),
        ("v2", "v1", Track.RED, Track.YELLOW, "decision-flips"),
        ("v3", "v1", Track.RED, Track.RED, "features-unapproved"),
        ("v4", "v1", Track.RED, Track.RED, "threshold-major"),
    ],
)
def test_credit_is_red_by_use_and_its_change_says_why_by_itself(
    depot: Depot,
    version: str,
    before: str | None,
    with_use: Track,
    without_use: Track,
    because: str,
) -> None:
    real = depot.decision("credit", version, before)
    assert (real.tier, real.track) == (Tier.HIGH, with_use)
    assert "high-risk-use" in rules(real, Track.RED)
    assert real.outcome is Outcome.NEEDS_REVIEW

    harmless = depot.decision("credit", version, before, harmless=True)
    assert (harmless.tier, harmless.track) == (Tier.LOW, without_use)
    assert because in rules(harmless, without_use)
    assert "high-risk-use" not in rules(harmless, Track.RED)


def test_the_mail_retrain_is_green_with_every_gate_passed_and_nobody_waited_for(
    depot: Depot,
) -> None:
    decision = depot.decision("mail-sorting", "v2", "v1")
    assert (decision.tier, decision.track) == (Tier.LOW, Track.GREEN)
    assert decision.outcome is Outcome.GO
    assert decision.reviewers == ()
    enforced = [gate for gate in decision.gates if gate.enforced]
    applies = [gate for gate in enforced if gate.verdict is not Verdict.NOT_APPLICABLE]
    assert {gate.id for gate in applies} == {
        "security-scan",
        "tests",
        "personal-data",
        "model-file",
        "performance",
        "lineage",
        "feature-contract",
        "rollback-plan",
        "drift-monitoring",
    }
    assert {gate.verdict for gate in applies} == {Verdict.PASS}


def test_the_next_mail_version_is_yellow_with_exactly_one_reviewer(depot: Depot) -> None:
    decision = depot.decision("mail-sorting", "v3", "v2")
    assert (decision.tier, decision.track) == (Tier.LOW, Track.YELLOW)
    assert rules(decision, Track.YELLOW) == {"features-approved"}
    assert [need.role for need in decision.reviewers] == ["ml-platform-engineer"]


def test_a_first_mail_release_without_a_confirmed_use_asks_the_risk_officer(depot: Depot) -> None:
    release = load_release(depot.root / "mail-sorting" / "v1")
    standing = Standing(last_rehearsal=NOW - timedelta(days=1))
    facts = release_facts(release, standing, NOW, cache=depot.cache)
    decision = decide(load_pack(), facts, kind="model", at=NOW, place=release.place)
    assert decision.tier is Tier.MEDIUM
    assert "risk-officer" in [need.role for need in decision.reviewers]


@pytest.mark.parametrize("gate", ["security-scan", "tests"])
def test_a_report_about_another_release_makes_green_impossible(
    depot: Depot, gate: str, tmp_path: Path
) -> None:
    """The reports of v1 laid into v2 are about another digest: insufficient, never passed."""
    name = {"security-scan": "security.sarif", "tests": "tests.xml"}[gate]
    own = replace(depot, root=tmp_path)
    for version in ("v1", "v2"):
        shutil.copytree(depot.root / "mail-sorting" / version, tmp_path / "mail-sorting" / version)
    build, other = (tmp_path / "mail-sorting" / version / "build" for version in ("v2", "v1"))
    for file in (name, f"{name}.intoto.json"):
        (build / file).write_bytes((other / file).read_bytes())
    decision = own.decision("mail-sorting", "v2", "v1")
    verdicts = {found.id: found.verdict for found in decision.gates}
    assert verdicts[gate] is Verdict.INSUFFICIENT
    assert decision.track is Track.YELLOW
