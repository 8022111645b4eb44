"""Real models, real permits and real gateways; every gateway is stopped at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from releases import Version, broken_scores, other_inputs, release, train
from sklearn.tree import DecisionTreeClassifier

from guiderail.attest.keys import Keyring
from guiderail.rollout.local import LocalTarget


@dataclass(frozen=True, slots=True)
class Versions:
    """v1 and v2 answer; `broken` gives NaN; `other` asks for an input that nobody sends."""

    v1: Version
    v2: Version
    broken: Version
    other: Version


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    folder = tmp_path_factory.mktemp("models")
    return Versions(
        v1=release(folder, train(folder, "v1")),
        v2=release(folder, train(folder, "v2", kind=DecisionTreeClassifier), version="2"),
        broken=release(folder, broken_scores(folder), version="3"),
        other=release(folder, other_inputs(folder), version="4"),
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
