"""Laws on real releases: nothing that somebody declares makes the measured facts weigh less."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from guiderail.core.errors import InputError
from guiderail.core.scales import Outcome, Tier, Track
from guiderail.facts.catalogue import BY_NAME
from guiderail.policy.decision import Decision
from guiderail.service.check import check
from tests.service import parcels
from tests.service.depot import Depot

laws = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)

USE: Mapping[str, tuple[Any, ...]] = {
    "prohibited": (None, False),
    "domain": (None, "operations", "credit", "pricing", "recommendation", "health"),
    "affects_people": (None, False, True),
    "customer_facing": (None, False, True),
    "decision": (None, "none", "minor", "significant"),
    "influence": (None, "informs", "recommends", "automated"),
    "exposure": (None, "small", "material", "large"),
    "regulated": (None, False, True),
    "reversible": (None, False, True),
}
declared_use = st.fixed_dictionaries({key: st.sampled_from(USE[key]) for key in USE})

# What else a manifest may claim in its own favour. None takes the claim out.
claims = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["v9", "a harmless fix", "approved-by-everybody"]),
        "purpose": st.sampled_from(["Does nothing at all.", "Was reviewed by everybody."]),
        "forbidden_uses": st.just(["Everything risky."]),
        "serving": st.none(),
        "rollback": st.none(),
        "monitoring": st.sampled_from([None, {"labels": None}, {"drift": None}]),
        "evidence": st.sampled_from([None, {"tests": None}, {"security": None}]),
        "rollout": st.just({"steps": [1, 100], "hold_seconds": 0}),
        "training": st.sampled_from([None, []]),
        "evaluation": st.sampled_from(
            [
                None,
                {"floor_percent": -99.0},
                {"recipe": "chosen-by-hand"},
                {"metric": "roc_auc"},
                {"label": None, "metric": None, "positive": None, "floor_percent": None},
                {"protected": []},
            ]
        ),
    },
)


@pytest.fixture
def decided(live_depot: Depot, tmp_path: Path) -> Any:
    """A function: what is decided about a release whose manifest claims something else."""
    workspace = live_depot.acting()

    def decide(release: Path, use: Mapping[str, Any], more: Mapping[str, Any]) -> Decision:
        directory = tmp_path / release.name
        if not directory.exists():
            parcels.copy(release, directory)
        original = (release / "guiderail.yaml").read_text(encoding="utf-8")
        (directory / "guiderail.yaml").write_text(original, encoding="utf-8")
        parcels.edit(directory, {"use": dict(use), **more})
        try:
            return check(directory, workspace).decision
        except InputError:
            assume(False)
            raise

    return decide


@laws
@given(use=declared_use, more=claims)
def test_no_claim_makes_a_red_change_lighter(
    decided: Any, live_depot: Depot, use: dict[str, Any], more: dict[str, Any]
) -> None:
    for release in (live_depot.releases.red, live_depot.releases.tree):
        assert decided(release, use, more).track is Track.RED


@laws
@given(use=declared_use, more=claims)
def test_no_claim_makes_an_approved_new_feature_green(
    decided: Any, live_depot: Depot, use: dict[str, Any], more: dict[str, Any]
) -> None:
    assert decided(live_depot.releases.yellow, use, more).track.rank >= Track.YELLOW.rank


@laws
@given(
    use=declared_use,
    more=claims.filter(lambda claim: claim.get("evidence", {}) in ({}, {"security": None})),
)
def test_no_claim_unblocks_a_failing_test(
    decided: Any, live_depot: Depot, use: dict[str, Any], more: dict[str, Any]
) -> None:
    assert decided(live_depot.releases.blocked, use, more).outcome is Outcome.BLOCKED


@laws
@given(use=declared_use, fact=st.sampled_from(sorted(USE)), data=st.data())
def test_leaving_an_answer_out_never_makes_it_lighter(
    decided: Any, live_depot: Depot, use: dict[str, Any], fact: str, data: st.DataObject
) -> None:
    value = data.draw(st.sampled_from([one for one in USE[fact] if one is not None]))
    left_out = decided(live_depot.releases.green, {**use, fact: None}, {})
    answered = decided(live_depot.releases.green, {**use, fact: value}, {})
    assert left_out.tier.rank >= answered.tier.rank
    assert left_out.track.rank >= answered.track.rank


@laws
@given(
    use=declared_use,
    fact=st.sampled_from([key for key in USE if BY_NAME[f"use.{key}"].risk_direction != "none"]),
)
def test_a_riskier_answer_never_makes_it_lighter(
    decided: Any, live_depot: Depot, use: dict[str, Any], fact: str
) -> None:
    kind = BY_NAME[f"use.{fact}"]
    scale = list(kind.values or (False, True))
    if kind.risk_direction == "down":
        scale.reverse()
    ranks = []
    for value in scale:
        decision = decided(live_depot.releases.green, {**use, fact: value}, {})
        ranks.append((decision.tier.rank, decision.track.rank))
    assert [tier for tier, _ in ranks] == sorted(tier for tier, _ in ranks)
    assert [track for _, track in ranks] == sorted(track for _, track in ranks)


@pytest.fixture(scope="module")
def with_a_protected_input(parcel_releases: parcels.Releases, tmp_path_factory: Any) -> Path:
    """The green release with an input that everybody would call a protected attribute."""
    import pandas as pd
    import skops.io
    from sklearn.linear_model import LogisticRegression

    directory = parcels.copy(
        parcel_releases.green, tmp_path_factory.mktemp("protected") / "protected"
    )
    inputs = [*parcels.INPUTS, "gender"]
    for name in ("training.csv", "evaluation.csv"):
        with (directory / name).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        frame = pd.DataFrame(rows)
        for column in parcels.INPUTS:
            frame[column] = frame[column].astype(float)
        frame["gender"] = [number % 2 for number in range(len(frame))]
        frame.to_csv(directory / name, index=False)
        if name == "training.csv":
            model = LogisticRegression().fit(frame[inputs], frame["urgent"])
            skops.io.dump(model, directory / "model.skops")
    parcels.edit(directory, {"model": {"file": "model.skops"}})
    parcels.report(directory)
    return directory


@pytest.mark.slow
@laws
@given(use=declared_use, more=claims)
def test_a_protected_input_weighs_the_same_whatever_is_declared_about_people(
    decided: Any, with_a_protected_input: Path, use: dict[str, Any], more: dict[str, Any]
) -> None:
    denied = decided(with_a_protected_input, {**use, "affects_people": False}, more)
    admitted = decided(with_a_protected_input, {**use, "affects_people": True}, more)
    assert (denied.tier, denied.track) == (admitted.tier, admitted.track)
    assert denied.tier.rank >= Tier.MEDIUM.rank
    if use["decision"] != "none":
        assert denied.tier.rank >= Tier.HIGH.rank
