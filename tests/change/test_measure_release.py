"""All facts of a release at once: complete, typed, repeatable."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from guiderail.change.compare import COMPARISONS
from guiderail.change.measure_release import release_facts
from guiderail.core.interval import Interval
from guiderail.facts.catalogue import BY_NAME, CATALOGUE
from guiderail.facts.collect import NOT_MEASURED
from guiderail.facts.fact import Unknown, to_json
from guiderail.facts.registry import PROVIDERS
from guiderail.facts.standing import Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from tests.facts.small_release import NOW, after

TYPES = {
    "bool": bool,
    "integer": int,
    "number": (int, float),
    "interval": Interval,
    "enum": str,
    "text": str,
    "set": tuple,
}


def test_no_two_providers_give_the_same_fact() -> None:
    for kind in ("app", "model", "pipeline"):
        given = [
            name
            for provider in (*PROVIDERS, *COMPARISONS)
            if kind in provider.kinds
            for name in provider.gives
        ]

        assert len(given) == len(set(given))
        assert set(given) <= {entry.name for entry in CATALOGUE if kind in entry.kinds}


@pytest.mark.parametrize("again", [False, True])
def test_every_fact_of_the_catalogue_is_there_with_its_type(
    first: Release, scores: Path, again: bool
) -> None:
    standing = after(first) if again else Standing()

    facts = release_facts(first, standing, NOW, cache=scores)

    assert set(facts) == {entry.name for entry in CATALOGUE if "model" in entry.kinds}
    for name, fact in facts.items():
        entry = BY_NAME[name]
        assert fact.name == name
        assert fact.source
        if isinstance(fact.value, Unknown):
            assert fact.value.reason
            continue
        assert isinstance(fact.value, TYPES[entry.type]), name
        assert entry.type != "enum" or fact.value in entry.values
        to_json(fact.value)


def test_the_same_release_measured_twice_is_the_same(
    first: Release, retrain: Path, tmp_path: Path
) -> None:
    release, standing = load_release(retrain), after(first)

    cold = release_facts(release, standing, NOW, cache=tmp_path / "cache")
    warm = release_facts(release, standing, NOW, cache=tmp_path / "cache")
    without = release_facts(release, standing, NOW)

    assert cold == warm == without


def test_progress_rises_over_both_parts(first: Release, scores: Path) -> None:
    seen: list[float] = []

    release_facts(
        first, Standing(), NOW, cache=scores, progress=lambda _, share: seen.append(share)
    )

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)


def test_an_app_has_its_declared_facts_and_unknown_ones(tmp_path: Path) -> None:
    content = {
        "guiderail": 1,
        "kind": "app",
        "name": "shop",
        "version": "1",
        "owner": "shop-team",
        "purpose": "Sells things.",
        "use": {"affects_people": False},
    }
    (tmp_path / "guiderail.yaml").write_text(yaml.safe_dump(content))

    facts = release_facts(load_release(tmp_path), Standing(), NOW)

    assert set(facts) == {entry.name for entry in CATALOGUE if "app" in entry.kinds}
    assert facts["use.affects_people"].value is False
    assert facts["staging.healthy"].value == Unknown(NOT_MEASURED)
    assert facts["data.personal"].is_unknown


def test_a_pipeline_knows_its_sources_and_columns(first: Release, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(first.path("training.csv").read_bytes())
    content = {
        "guiderail": 1,
        "kind": "pipeline",
        "name": "orders",
        "version": "1",
        "owner": "data-team",
        "purpose": "Feeds the credit model.",
        "sources": [{"name": "orders", "data": "orders.csv"}],
    }
    (tmp_path / "guiderail.yaml").write_text(yaml.safe_dump(content))
    release = load_release(tmp_path)

    facts = release_facts(release, after(release), NOW)

    assert set(facts) == {entry.name for entry in CATALOGUE if "pipeline" in entry.kinds}
    assert facts["lineage.sources"].value == 1
    assert facts["lineage.unverified"].value == 1
    assert facts["data.protected"].value is False
    assert facts["change.new_sources"].value == 0
