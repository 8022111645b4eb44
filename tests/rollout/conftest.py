"""Real models, real permits and real gateways; every gateway is stopped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from releases import Version, as_onnx, as_skops, broken_scores, fit, other_inputs, release
from sklearn.tree import DecisionTreeClassifier

from guiderail.attest.keys import Keyring
from guiderail.rollout.local import LocalTarget


@dataclass(frozen=True, slots=True)
class Versions:
    """v1 and v2 answer; `broken` gives NaN; `other` asks for an input that nobody sends.

    skops: v1 as the file that scikit-learn runs; the others are ONNX graphs.
    """

    v1: Version
    v2: Version
    broken: Version
    other: Version
    skops: Version


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp("models")
    tree = fit(kind=DecisionTreeClassifier)
    return Versions(
        v1=release(folder, as_onnx(folder, "v1", fit())),
        v2=release(folder, as_onnx(folder, "v2", tree), version="2"),
        broken=release(folder, as_onnx(folder, "broken", broken_scores()), version="3"),
        other=release(folder, as_onnx(folder, "other", other_inputs()), version="4"),
        skops=release(folder, as_skops(folder, "scikit-learn", fit())),
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Keyring.open(tmp_path)
    return tmp_path


@pytest.fixture
def target(home: Path) -> Iterator[LocalTarget]:
    """A running gateway in a workspace of its own."""
    target = LocalTarget(home)
    target.start_gateway()
    yield target
    target.stop_gateway()
