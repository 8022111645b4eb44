"""Facts about explanations and stand-ins, and what the gates decide on them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from guiderail.change.explanations import EXPLANATION_CHANGE
from guiderail.core.interval import Interval
from guiderail.facts.data.proxies import PROXIES
from guiderail.facts.model.explanations import EXPLANATIONS
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from tests.facts.small_release import NUMBERS, TEXTS, after, edit, reason, run, write

GOOD = {
    "status": "Your account has little money in it.",
    "credit_history": "Earlier loans were paid back late.",
    "month": "The loan runs for a long time.",
    "credit_amount": "The amount is large for us.",
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    directory = write(tmp_path_factory.mktemp("explained") / "v1")
    return load_release(directory)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all tests here: the same model is explained once."""
    return tmp_path_factory.mktemp("cache")


def with_reasons(release: Release, **texts: str | None) -> Release:
    rows = {name: text for name, text in {**GOOD, **texts}.items() if text is not None}
    content = {"audiences": ["person"], "reasons": rows}
    (release.root / "reasons.yaml").write_text(yaml.safe_dump(content))
    return edit(release.root, explanations={"reasons": "reasons.yaml"})


def test_every_input_with_a_good_text_breaks_nothing(release: Release, shared: Path) -> None:
    found = run(EXPLANATIONS, with_reasons(release), cache=shared)
    assert found["explanations.broken"].value == 0
    assert found["explanations.broken"].detail["method"] == "exact, additive score"
    broken = with_reasons(release, month=None, status="Internal policy")
    found = run(EXPLANATIONS, broken, cache=shared)
    assert found["explanations.broken"].value == 2
    assert found["explanations.broken"].detail["names"] == "status, month"


def test_without_texts_nobody_knows(release: Release) -> None:
    found = run(EXPLANATIONS, edit(release.root, explanations=None))
    assert "names no reason texts" in reason(found, "explanations.broken")


def test_the_same_version_explains_alike_and_keeps_its_reasons(
    release: Release, shared: Path
) -> None:
    asked = with_reasons(release)
    found = run(EXPLANATION_CHANGE, asked, after(asked), cache=shared)
    assert found["explanations.regressed"].value is False
    assert found["explanations.regressed"].detail["refits"] == 16
    stability = found["explanations.reason_stability"].value
    assert isinstance(stability, Interval)
    assert stability.value == stability.high == 100
    assert 80 < stability.low < 100


def test_an_input_that_is_gone_is_a_regression(
    release: Release, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = write(
        tmp_path_factory.mktemp("explained") / "v2", inputs=("credit_history", *NUMBERS)
    )
    new = with_reasons(load_release(directory))
    found = run(EXPLANATION_CHANGE, new, after(release), cache=shared)
    assert found["explanations.regressed"].value is True
    assert "status" in str(found["explanations.regressed"].detail["why"])


def test_nothing_is_explained_where_the_manifest_does_not_ask_for_it(release: Release) -> None:
    found = run(EXPLANATION_CHANGE, edit(release.root, explanations=None), after(release))
    assert "has no section explanations" in reason(found, "explanations.regressed")


def test_without_a_baseline_there_is_nothing_to_compare(release: Release) -> None:
    found = run(EXPLANATION_CHANGE, with_reasons(release))
    assert "nothing runs in production" in reason(found, "explanations.regressed")


def test_two_training_sources_cannot_be_trained_again(release: Release, shared: Path) -> None:
    two = [{"name": name, "data": "training.csv"} for name in ("one", "two")]
    old = edit(with_reasons(release).root, training=two)
    found = run(EXPLANATION_CHANGE, old, after(old), cache=shared)
    assert "not calibrated" in reason(found, "explanations.regressed")
    assert isinstance(found["explanations.reason_stability"].value, Interval)


def test_the_strongest_stand_in_is_named(release: Release) -> None:
    found = run(PROXIES, release)
    fact = found["proxies.highest_auc"]
    assert isinstance(fact.value, float)
    assert 0.5 < fact.value < 0.8
    assert fact.detail["feature"] in (*TEXTS, *NUMBERS)
    assert fact.detail["attribute"] == "sex"
    assert isinstance(found["proxies.joint_auc"].value, float)


def test_a_column_that_cannot_be_measured_leaves_the_strongest_unknown(release: Release) -> None:
    path = release.root / "evaluation.csv"
    lines = path.read_text().splitlines()
    place = lines[0].split(",").index("status")
    rows = [line.split(",") for line in lines[1:]]
    for number, row in enumerate(rows):
        row[place] = f"note {number}"
    before = path.read_text()
    path.write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    try:
        found = run(PROXIES, load_release(release.root))
    finally:
        path.write_text(before)
    assert "status and sex: it has 300 different values" in reason(found, "proxies.highest_auc")


def test_an_attribute_that_is_found_by_its_name_needs_no_declaration(release: Release) -> None:
    found = run(PROXIES, edit(release.root, evaluation={"protected": []}))
    edit(release.root, evaluation={"protected": ["sex"]})
    assert found["proxies.highest_auc"].detail["attribute"] == "sex"
